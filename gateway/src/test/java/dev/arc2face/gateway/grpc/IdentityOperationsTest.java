package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.Average;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.CompareFacesResponse;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.EmbedFaceResponse;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.FaceChoice;
import dev.arc2face.v1.FaceReport;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.Interpolation;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.SourceReport;
import dev.arc2face.v1.StepProgress;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** One person of several photos, somebody between two people, and portraits that must be similar, as callers see them. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class IdentityOperationsTest extends ConnectedTest {
    private static final int STEPS = 4;

    @Test
    void averageOfThreeEqualEmbeddingsIsThatEmbedding() {
        Embedding somebody = embed(Gateway.somebody(1)).getEmbedding();
        IdentitySource unit = IdentitySource.newBuilder().setEmbedding(somebody).build();
        EmbedFaceResponse mean = embed(average(unit, unit, unit));

        assertThat(mean.getEmbedding()).isEqualTo(somebody);
        assertThat(mean.getFaceReport().getChoice()).isEqualTo(FaceChoice.FACE_CHOICE_AVERAGE);
        assertThat(mean.getFaceReport().getSourcesList()).hasSize(3).allSatisfy(source -> {
            assertThat(source.getUsed()).isTrue();
            assertThat(source.getSimilarity()).isCloseTo(1, within(1e-6f));
            assertThat(source.getFaceReport().getChoice()).isEqualTo(FaceChoice.FACE_CHOICE_EMBEDDING);
        });
        GenerateRequest.Builder request = Gateway.request(unit).setSteps(STEPS).setSeed(5);
        assertThat(gateway.portraits(request.clone().setIdentity(average(unit, unit, unit))))
                .isEqualTo(gateway.portraits(request));
    }

    @Test
    void outlierIsLeftOutAndReported() throws IOException {
        IdentitySource photo = Gateway.photo(Gateway.sample());
        IdentitySource mirrored = Gateway.photo(mirroredSample());
        List<GenerateResponse> events = gateway.generate(Gateway.request(average(photo, Gateway.somebody(1), mirrored))
                .setSteps(1)
                .setSeed(1));

        FaceReport report = events.get(1).getFaceReport();
        assertThat(report.getSourcesList()).extracting(SourceReport::getUsed).containsExactly(true, false, true);
        assertThat(report.getSources(1).getSimilarity()).isLessThan(0.3f);
        assertThat(report.getSources(2).getSimilarity()).isGreaterThan(0.9f);
        assertThat(report.getSources(2).getFaceReport().getPhotoWidth()).isEqualTo(512);
        assertThat(report.getSources(2).getFaceReport().getFacesList()).hasSize(1);
        assertThat(embed(average(photo, Gateway.somebody(1), mirrored)).getEmbedding())
                .isEqualTo(embed(average(photo, mirrored)).getEmbedding());
    }

    @Test
    void sourcesThatDisagreeAreRefused() {
        IdentitySource source = average(Gateway.somebody(1), Gateway.somebody(2));
        Failure failure = Failure.of(() -> embed(source)).isFor(ErrorReason.IDENTITIES_DISAGREE);
        assertThat(failure.fields()).containsExactly("identity.average");
        assertThat(failure.metadata()).containsEntry("disagreeing", "0,1").containsEntry("threshold", "0.400");
        assertThat(gateway.service()
                        .getModelInfo(GetModelInfoRequest.getDefaultInstance())
                        .getSamePersonThreshold())
                .isEqualTo(0.4f);

        Failure generated = Failure.of(
                        () -> gateway.generate(Gateway.request(between(Gateway.somebody(3), source, 0.5f))
                                .setSteps(1)))
                .isFor(ErrorReason.IDENTITIES_DISAGREE);
        assertThat(generated.fields()).containsExactly("identity.interpolation.second.average");
    }

    @Test
    void partOfAnAverageThatIsNoPhotoIsNamed() {
        IdentitySource noPhoto = Gateway.photo(ByteString.copyFromUtf8("no photo"));
        assertThat(Failure.of(() -> embed(average(Gateway.somebody(1), noPhoto)))
                        .isFor(ErrorReason.UNSUPPORTED_IMAGE_FORMAT)
                        .fields())
                .containsExactly("identity.average.sources[1].photo");
    }

    @Test
    void interpolationBeginsAndEndsWithItsIdentitiesToTheByte() {
        IdentitySource first = Gateway.photo(Gateway.sample());
        IdentitySource second = Gateway.somebody(2);
        GenerateRequest.Builder request = Gateway.request(first).setSteps(STEPS).setSeed(30);
        List<GenerateResponse> events =
                gateway.generate(request.clone().setNumImages(3).setIdentity(between(first, second, 0, 0.4f, 1)));
        List<PortraitImage> mixed = Gateway.images(events);

        assertThat(events.get(0).getAccepted().getTList()).containsExactly(0f, 0.4f, 1f);
        assertThat(events.get(1).getFaceReport().getChoice()).isEqualTo(FaceChoice.FACE_CHOICE_INTERPOLATION);
        assertThat(events.get(1).getFaceReport().getSourcesList())
                .extracting(source -> source.getFaceReport().getChoice())
                .containsExactly(FaceChoice.FACE_CHOICE_LARGEST, FaceChoice.FACE_CHOICE_EMBEDDING);
        assertThat(mixed).extracting(PortraitImage::getT).containsExactly(0f, 0.4f, 1f);
        assertThat(mixed.get(0).getData())
                .isEqualTo(gateway.portraits(request.clone()).get(0));
        assertThat(mixed.get(1).getData())
                .isEqualTo(gateway.portraits(request.clone().setSeed(31).setIdentity(between(first, second, 0.4f)))
                        .get(0));
        assertThat(mixed.get(2).getData())
                .isEqualTo(gateway.portraits(request.clone().setSeed(32).setIdentity(second))
                        .get(0));

        List<PortraitImage> oneShareForAll = Gateway.images(
                gateway.generate(request.clone().setNumImages(2).setIdentity(between(first, second, 1))));
        assertThat(oneShareForAll).extracting(PortraitImage::getT).containsExactly(1f, 1f);
        assertThat(oneShareForAll)
                .extracting(PortraitImage::getData)
                .containsExactlyElementsOf(
                        gateway.portraits(request.clone().setNumImages(2).setIdentity(second)));
    }

    @Test
    void identitiesOfEveryKindAreEmbeddedAndCompared() {
        IdentitySource first = Gateway.somebody(1);
        IdentitySource second = Gateway.somebody(2);
        CompareFacesResponse ends = compare(first, second);
        double angle = Math.acos(ends.getSimilarity());
        assertThat((double) compare(between(first, second, 0.25f), first).getSimilarity())
                .isCloseTo(Math.cos(angle / 4), within(1e-6));
        assertThat(compare(average(first, first), between(first, second, 0)).getSimilarity())
                .isCloseTo(1, within(1e-6f));
    }

    @Test
    void whatCannotBeMeantIsRefusedByField() {
        IdentitySource somebody = Gateway.somebody(1);
        IdentitySource average = average(somebody, somebody);
        assertThat(invalid(request -> request.setIdentity(average(somebody))))
                .containsExactly("identity.average.sources");
        assertThat(invalid(request -> request.setIdentity(
                        average(Collections.nCopies(17, somebody).toArray(IdentitySource[]::new)))))
                .containsExactly("identity.average.sources");
        assertThat(invalid(request -> request.setIdentity(average(average, somebody))))
                .containsExactly("identity.average.sources");
        assertThat(invalid(request -> request.setIdentity(average(somebody, between(somebody, somebody, 0)))))
                .containsExactly("identity.average.sources");
        assertThat(invalid(request -> request.setIdentity(between(between(somebody, somebody, 0), somebody, 0))))
                .containsExactly("identity.interpolation.first");
        for (float t : new float[] {-0.1f, 1.1f, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThat(invalid(request -> request.setIdentity(between(somebody, somebody, t))))
                    .containsExactly("identity.interpolation.t");
        }
        assertThat(invalid(request -> request.setIdentity(between(somebody, somebody))))
                .containsExactly("identity.interpolation.t");
        assertThat(invalid(request -> request.setNumImages(3).setIdentity(between(somebody, somebody, 0, 1))))
                .hasSize(1);
        assertThat(invalid(request -> request.setMaxAttempts(2))).hasSize(1);
        for (float floor : new float[] {0, -0.5f, 1.01f, Float.NaN}) {
            assertThat(invalid(request -> request.setMinSimilarity(floor))).containsOnly("min_similarity");
        }
        assertThat(invalid(request -> request.setMinSimilarity(0.5f).setMaxAttempts(17)))
                .containsExactly("max_attempts");
        assertThat(Failure.of(() -> embed(between(somebody, somebody, 0, 1)))
                        .isFor(ErrorReason.INVALID_REQUEST)
                        .fields())
                .containsExactly("identity");
        assertThat(Failure.of(() -> embed(average(Collections.nCopies(300, IdentitySource.getDefaultInstance())
                                .toArray(IdentitySource[]::new))))
                        .isFor(ErrorReason.INVALID_REQUEST)
                        .message())
                .contains("256 messages");
    }

    @Test
    void portraitsThatFallShortAreDrawnAgainAndTheirSeedReproducesThem() {
        GenerateRequest.Builder request = Gateway.request(Gateway.somebody(7))
                .setNumImages(4)
                .setSteps(STEPS)
                .setSeed(100);
        float floor = floorThatHalfReach(request);
        List<GenerateResponse> events = gateway.generate(
                request.clone().setMinSimilarity(floor).setMaxAttempts(3).setPreviewEvery(2));

        Accepted accepted = events.get(0).getAccepted();
        assertThat(accepted.getMinSimilarity()).isEqualTo(floor);
        assertThat(accepted.getMaxAttempts()).isEqualTo(3);
        assertThat(accepted.getSeedsList()).containsExactly(100, 101, 102, 103);
        assertThat(events).extracting(GenerateResponse::getSequence).isSorted().doesNotHaveDuplicates();
        List<StepProgress> progress = events.stream()
                .filter(GenerateResponse::hasStepProgress)
                .map(GenerateResponse::getStepProgress)
                .toList();
        assertThat(progress)
                .extracting(StepProgress::getStep)
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, progress.size()).boxed().toList());
        assertThat(progress).extracting(StepProgress::getTotalSteps).containsOnly(3 * STEPS);
        assertThat(progress.get(STEPS).getAttempt()).isEqualTo(2);
        assertThat(progress.get(STEPS).getNumImages()).isBetween(1, 3);

        List<PortraitImage> images = Gateway.images(events);
        assertThat(images).extracting(PortraitImage::getImageIndex).containsExactlyInAnyOrder(0, 1, 2, 3);
        assertThat(images).extracting(PortraitImage::getAttempts).contains(1).anyMatch(attempts -> attempts > 1);
        assertThat(events.get(events.size() - 1).getCompleted().getRejected())
                .isEqualTo(images.stream().mapToInt(PortraitImage::getAttempts).sum() - 4);
        for (PortraitImage image : images) {
            assertThat(image.getBelowMinSimilarity())
                    .isEqualTo(image.getIdentityScore().getSimilarity() < floor);
            assertThat(gateway.portraits(request.clone().setNumImages(1).setSeed(image.getSeed())))
                    .containsExactly(image.getData());
        }
    }

    @Test
    void whereNoAttemptWillDoAttemptsAreBounded() {
        List<GenerateResponse> events = gateway.generate(
                Gateway.request(Gateway.somebody(7)).setSteps(1).setSeed(1).setMinSimilarity(1));
        assertThat(events.get(0).getAccepted().getMaxAttempts()).as("default").isEqualTo(4);
        PortraitImage image = Gateway.images(events).get(0);
        assertThat(image.getAttempts()).isEqualTo(4);
        assertThat(image.getBelowMinSimilarity()).isTrue();
        assertThat(events.get(events.size() - 1).getCompleted().getUnetCalls()).isEqualTo(4);
        assertThat(events.get(events.size() - 1).getCompleted().getRejected()).isEqualTo(3);
    }

    private float floorThatHalfReach(GenerateRequest.Builder request) {
        List<Float> similarities = Gateway.images(gateway.generate(request.clone())).stream()
                .map(image -> image.getIdentityScore().getSimilarity())
                .sorted()
                .toList();
        assertThat(similarities.get(2)).isGreaterThan(similarities.get(1)).isPositive();
        return similarities.get(2);
    }

    private List<String> invalid(UnaryOperator<GenerateRequest.Builder> change) {
        GenerateRequest.Builder request =
                change.apply(Gateway.request(Gateway.somebody(1)).setSteps(1));
        return Failure.of(() -> gateway.generate(request))
                .isFor(ErrorReason.INVALID_REQUEST)
                .fields();
    }

    private EmbedFaceResponse embed(IdentitySource identity) {
        return gateway.service()
                .embedFace(EmbedFaceRequest.newBuilder().setIdentity(identity).build());
    }

    private CompareFacesResponse compare(IdentitySource first, IdentitySource second) {
        return gateway.service()
                .compareFaces(CompareFacesRequest.newBuilder()
                        .setFirst(first)
                        .setSecond(second)
                        .build());
    }

    private static IdentitySource average(IdentitySource... sources) {
        return IdentitySource.newBuilder()
                .setAverage(Average.newBuilder().addAllSources(List.of(sources)))
                .build();
    }

    private static IdentitySource between(IdentitySource first, IdentitySource second, float... t) {
        Interpolation.Builder interpolation =
                Interpolation.newBuilder().setFirst(first).setSecond(second);
        for (float share : t) {
            interpolation.addT(share);
        }
        return IdentitySource.newBuilder().setInterpolation(interpolation).build();
    }

    private static ByteString mirroredSample() throws IOException {
        BufferedImage sample = ImageIO.read(Gateway.sample().newInput());
        BufferedImage mirrored = new BufferedImage(sample.getWidth(), sample.getHeight(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = mirrored.createGraphics();
        graphics.drawImage(sample, sample.getWidth(), 0, -sample.getWidth(), sample.getHeight(), null);
        graphics.dispose();
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        ImageIO.write(mirrored, "png", encoded);
        return ByteString.copyFrom(encoded.toByteArray());
    }
}
