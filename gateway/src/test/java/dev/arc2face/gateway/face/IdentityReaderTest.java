package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.face.IdentitySource.Average;
import dev.arc2face.gateway.face.IdentitySource.Interpolation;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.TritonExtension;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(TritonExtension.class)
class IdentityReaderTest {
    private static final int MIN_FACE_PIXELS = 24;

    private final PhotoDecoder decoder = new PhotoDecoder(16 << 20, 50_000_000);
    private final Pixels sample = decoder.decode(Photos.sample());
    private final FaceDetector detector;
    private final Recogniser recogniser;
    private final IdentityReader reader;
    private final StageClock clock = new StageClock();

    IdentityReaderTest(SharedTriton triton) {
        ServedModels models = triton.models();
        detector = new FaceDetector(models.faceDetector(), models.sizes());
        recogniser = new Recogniser(models.arcface());
        reader = new IdentityReader(decoder, detector, recogniser, MIN_FACE_PIXELS);
    }

    @Test
    void aPhotoIsReadByItsLargestFace() {
        Identity identity = read(sample);

        assertThat(lengthOf(identity.embedding())).isCloseTo(1, within(1e-6));
        assertThat(identity.embedding().size()).isEqualTo(256);
        FaceReport report = identity.report();
        assertThat(List.of(report.photoWidth(), report.photoHeight())).containsExactly(512, 512);
        assertThat(report.faces()).hasSize(1);
        assertThat(report.usedIndex()).hasValue(0);
        assertThat(report.choice()).isEqualTo(FaceChoice.LARGEST);
        assertThat(report.padded()).isFalse();
        assertThat(report.truncated()).isFalse();
        assertThat(clock.timings().keySet()).containsExactly(Stage.DECODE, Stage.DETECT, Stage.ALIGN, Stage.EMBED);
    }

    @Test
    void theSameFaceMirroredIsTheSamePerson() {
        assertThat(read(sample)
                        .embedding()
                        .similarityTo(read(Photos.mirrored(sample)).embedding()))
                .isGreaterThan(0.85);
    }

    @Test
    void sharedPhotosAreTheSamePeopleMirroredAndDifferentFromEachOther() {
        List<Pixels> photos =
                Photos.shared().stream().map(Photos::read).map(decoder::decode).toList();
        List<Embedding> embeddings =
                photos.stream().map(photo -> read(photo).embedding()).toList();
        double same = 0;
        for (int i = 0; i < photos.size(); i++) {
            same += embeddings
                    .get(i)
                    .similarityTo(read(Photos.mirrored(photos.get(i))).embedding());
        }
        assertThat(same / photos.size()).as("mean, mirrored").isGreaterThan(0.85);
        double different = 0;
        for (int i = 0; i < photos.size(); i++) {
            different += embeddings.get(i).similarityTo(embeddings.get((i + 1) % photos.size()));
        }
        assertThat(different / photos.size()).as("mean, different people").isLessThan(0.3);
    }

    @Test
    void aRequestedFaceIsTheOneUsed() {
        Pixels left = Photos.crop(sample, 100, 0, 300, 300);
        Pixels two = Photos.sideBySide(left, Photos.mirrored(left));
        for (int index = 0; index < 2; index++) {
            Identity identity = reader.read(photo(two, OptionalInt.of(index)), clock);
            assertThat(identity.report().usedIndex()).hasValue(index);
            assertThat(identity.report().choice()).isEqualTo(FaceChoice.REQUESTED_INDEX);
        }
        FailureException failure =
                catchThrowableOfType(FailureException.class, () -> reader.read(photo(two, OptionalInt.of(2)), clock));
        assertThat(failure.reason()).isEqualTo(ErrorReason.FACE_INDEX_OUT_OF_RANGE);
        assertThat(failure.metadata()).isEqualTo(Map.of("face_index", "2", "face_count", "2"));
    }

    @Test
    void theLargestFaceIsTheFirstOfEquals() {
        List<Face> faces = List.of(face(0, 10, 10), face(1, 8, 20), face(2, 20, 8), face(3, 9, 9));
        assertThat(new Detection(faces, false, false).largest().orElseThrow().index())
                .isEqualTo(1);
        assertThat(new Detection(List.of(), false, false).largest()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 10}) // there is a face without the border only in the first
    void aTightCropIsReadWithinABorder(int cut) {
        Box box = detector.detect(sample).faces().get(0).box();
        Pixels tight = Photos.crop(
                sample,
                Math.round(box.left()) + cut,
                Math.round(box.top()) + cut,
                Math.round(box.width()) - 2 * cut,
                Math.round(box.height()) - 2 * cut);
        Identity identity = read(tight);

        FaceReport report = identity.report();
        assertThat(report.padded()).isTrue();
        assertThat(List.of(report.photoWidth(), report.photoHeight())).containsExactly(tight.width(), tight.height());
        Box found = report.faces().get(0).box();
        assertThat(found.left()).isNotNegative();
        assertThat(found.right()).isLessThanOrEqualTo(tight.width());
        assertThat(identity.embedding().similarityTo(read(sample).embedding())).isGreaterThan(0.5);
    }

    @Test
    void nobodyIsAnErrorThatSaysWhatToSend() {
        FailureException failure =
                catchThrowableOfType(FailureException.class, () -> read(Photos.crop(sample, 0, 400, 112, 112)));
        assertThat(failure.reason()).isEqualTo(ErrorReason.NO_FACE_DETECTED);
        assertThat(failure.message()).contains("send");
    }

    @Test
    void aSmallFaceIsRefusedWithTheThreshold() {
        IdentityReader strict = new IdentityReader(decoder, detector, recogniser, 400);
        FailureException failure = catchThrowableOfType(
                FailureException.class, () -> strict.read(photo(sample, OptionalInt.empty()), clock));
        assertThat(failure.reason()).isEqualTo(ErrorReason.FACE_TOO_SMALL);
        assertThat(failure.metadata()).containsEntry("threshold_pixels", "400");
        assertThat(Integer.parseInt(failure.metadata().get("actual_pixels"))).isBetween(78, 98);
    }

    @Test
    void anAlignedCropIsOnlyEmbedded() {
        Face face = detector.detect(sample).faces().get(0);
        Pixels crop = Aligner.align(sample, face.landmarks());
        Identity identity = reader.read(new IdentitySource.AlignedFace(crop), clock);

        assertThat(identity.embedding().values())
                .isEqualTo(read(sample).embedding().values());
        assertThat(identity.report()).isEqualTo(FaceReport.withoutPhoto(FaceChoice.ALIGNED_CROP));
    }

    @Test
    void aGivenEmbeddingIsOnlyNormalised() {
        float[] values = new float[256];
        values[7] = -3;
        Identity identity = reader.read(given(values, recogniser.id()), clock);

        assertThat(identity.embedding().values()[7]).isEqualTo(-1);
        assertThat(identity.report()).isEqualTo(FaceReport.withoutPhoto(FaceChoice.EMBEDDING));
        assertThat(clock.timings()).isEmpty();
    }

    @Test
    void embeddingsThatMeanNothingHereAreRefused() {
        FailureException other = catchThrowableOfType(
                FailureException.class, () -> reader.read(given(new float[256], "somebody-elses"), clock));
        assertThat(other.reason()).isEqualTo(ErrorReason.EMBEDDING_MODEL_MISMATCH);
        assertThat(other.metadata())
                .isEqualTo(Map.of("expected", "mobileface-human-models-3.0.4", "actual", "somebody-elses"));

        FailureException length = catchThrowableOfType(
                FailureException.class, () -> reader.read(given(new float[512], recogniser.id()), clock));
        assertThat(length.reason()).isEqualTo(ErrorReason.EMBEDDING_INVALID);
        assertThat(length.metadata()).isEqualTo(Map.of("expected_length", "256"));

        FailureException zero = catchThrowableOfType(
                FailureException.class, () -> reader.read(given(new float[256], recogniser.id()), clock));
        assertThat(zero.reason()).isEqualTo(ErrorReason.EMBEDDING_INVALID);
    }

    @Test
    void cropsOfAChunkDoNotSeeEachOther() {
        Face face = detector.detect(sample).faces().get(0);
        Pixels crop = Aligner.align(sample, face.landmarks());
        List<Pixels> crops = IntStream.range(0, 19)
                .mapToObj(i -> i % 3 == 0 ? crop : Photos.crop(sample, 20 * i, 5 * i, 112, 112))
                .toList();
        List<Embedding> together = recogniser.embedAll(crops);
        assertThat(together).hasSameSizeAs(crops);
        for (int i = 0; i < crops.size(); i++) {
            assertThat(together.get(i).values())
                    .isEqualTo(recogniser.embed(crops.get(i)).values());
        }
    }

    @Test
    void portraitsAreScoredOneByOneAndThoseWithoutAFaceHaveNoScore() {
        IdentityScorer scorer = new IdentityScorer(detector, recogniser);
        Pixels nobody = new Pixels(128, 128, new byte[128 * 128 * 3]);
        List<Optional<ScoredFace>> scores = scorer.score(
                Collections.nCopies(4, read(sample).embedding()),
                List.of(nobody, sample, Photos.mirrored(sample), nobody));

        assertThat(scores.get(0)).isEmpty();
        assertThat(scores.get(1).orElseThrow().similarity()).isCloseTo(1, within(1e-6));
        assertThat(scores.get(1).orElseThrow().face())
                .isEqualTo(detector.detect(sample).faces().get(0));
        assertThat(scores.get(2).orElseThrow().similarity()).isBetween(0.85, 0.9999);
        assertThat(scores.get(3)).isEmpty();
    }

    @Test
    void anAverageLeavesOutWhoDoesNotBelongThereAndSaysSo() {
        IdentitySource itself = photo(sample, OptionalInt.empty());
        IdentitySource mirrored = photo(Photos.mirrored(sample), OptionalInt.empty());
        Identity identity = reader.read(new Average(List.of(itself, stranger(), mirrored)), clock);

        assertThat(identity.embedding().values())
                .isEqualTo(Embedding.mean(List.of(
                                read(sample).embedding(),
                                read(Photos.mirrored(sample)).embedding()))
                        .values());
        assertThat(identity.report().choice()).isEqualTo(FaceChoice.AVERAGE);
        List<SourceReport> sources = identity.report().sources();
        assertThat(sources).extracting(SourceReport::used).containsExactly(true, false, true);
        assertThat(sources.get(0).report().usedIndex()).hasValue(0);
        assertThat(sources.get(0).report().photoWidth()).isEqualTo(512);
        assertThat(sources.get(1).report().choice()).isEqualTo(FaceChoice.EMBEDDING);
        assertThat(sources.get(1).similarity().orElseThrow()).isLessThan(recogniser.samePersonThreshold());
        assertThat(sources.get(2).similarity().orElseThrow()).isGreaterThan(0.9);
    }

    @Test
    void theReportOfAPhotoInAnAverageHasTheFaceUsedOnly() {
        Pixels left = Photos.crop(sample, 100, 0, 300, 300);
        IdentitySource second = photo(Photos.sideBySide(left, Photos.mirrored(left)), OptionalInt.of(1));
        FaceReport report = reader.read(new Average(List.of(second, second)), clock)
                .report()
                .sources()
                .get(1)
                .report();
        assertThat(report.usedIndex()).hasValue(1);
        assertThat(report.faces()).extracting(Face::index).containsExactly(1);
    }

    @Test
    void theAverageOfEqualSourcesIsWhoeverTheyShow() {
        IdentitySource itself = photo(sample, OptionalInt.empty());
        assertThat(reader.read(new Average(List.of(itself, itself, itself)), clock)
                        .embedding()
                        .values())
                .isEqualTo(read(sample).embedding().values());
    }

    @Test
    void anInterpolationHasAnEmbeddingForEachShare() {
        IdentitySource itself = photo(sample, OptionalInt.empty());
        Identity identity = reader.read(new Interpolation(itself, stranger(), List.of(0f, 0.25f, 1f)), clock);
        Embedding first = read(sample).embedding();
        Embedding second = reader.read(stranger(), clock).embedding();

        assertThat(identity.embeddings()).hasSize(3);
        assertThat(identity.embedding(0).values()).isEqualTo(first.values());
        assertThat(identity.embedding(2).values()).isEqualTo(second.values());
        double angle = Math.acos(first.similarityTo(second));
        assertThat(identity.embedding(1).similarityTo(first)).isCloseTo(Math.cos(angle / 4), within(1e-6));
        assertThat(identity.embedding(1).similarityTo(second)).isCloseTo(Math.cos(3 * angle / 4), within(1e-6));
        assertThat(identity.report().choice()).isEqualTo(FaceChoice.INTERPOLATION);
        assertThat(identity.report().sources())
                .extracting(source -> source.report().choice())
                .containsExactly(FaceChoice.LARGEST, FaceChoice.EMBEDDING);
    }

    @Test
    void whatIsToBlameIsFoundHoweverDeepItIs() {
        IdentitySource itself = photo(sample, OptionalInt.empty());
        IdentitySource nobody = photo(Photos.crop(sample, 0, 400, 112, 112), OptionalInt.empty());
        IdentitySource pair = new Average(List.of(itself, stranger()));
        assertThat(blamed(new Interpolation(itself, new Average(List.of(itself, nobody)), List.of(0.5f))))
                .isEqualTo("interpolation.second.average.sources[1].photo");
        assertThat(blamed(new Average(List.of(photo(sample, OptionalInt.of(7)), itself))))
                .isEqualTo("average.sources[0].face_index");
        assertThat(blamed(pair)).isEqualTo("average");
        assertThat(blamed(new Interpolation(pair, itself, List.of(0f)))).isEqualTo("interpolation.first.average");
        assertThat(blamed(new Average(List.of(itself, given(new float[3], recogniser.id())))))
                .isEqualTo("average.sources[1].embedding");
    }

    private String blamed(IdentitySource source) {
        FailureException failure =
                catchThrowableOfType(FailureException.class, () -> reader.read(source, new StageClock()));
        assertThat(failure.violations()).hasSize(1);
        return failure.violations().get(0).field();
    }

    private IdentitySource stranger() {
        float[] values = new float[256];
        values[3] = 1;
        return given(values, recogniser.id());
    }

    private Identity read(Pixels photo) {
        return reader.read(photo(photo, OptionalInt.empty()), clock);
    }

    private static IdentitySource photo(Pixels photo, OptionalInt faceIndex) {
        return new IdentitySource.Photo(PictureEncoder.encode(photo, ImageFormat.PNG, 0), faceIndex);
    }

    private static IdentitySource given(float[] values, String recogniserId) {
        return new IdentitySource.GivenEmbedding(values, recogniserId);
    }

    private static Face face(int index, float width, float height) {
        Point point = new Point(1, 1);
        return new Face(index, new Box(0, 0, width, height), 0.9f, List.of(point, point, point, point, point));
    }

    private static double lengthOf(Embedding embedding) {
        double squares = 0;
        for (float value : embedding.values()) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }
}
