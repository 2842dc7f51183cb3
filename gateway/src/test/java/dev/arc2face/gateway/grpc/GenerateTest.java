package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.Statistics;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.FaceChoice;
import dev.arc2face.v1.FaceReport;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GenerateResponse.EventCase;
import dev.arc2face.v1.IdentityScore;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.StageTiming;
import io.grpc.Context;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(TritonResource.class)
class GenerateTest extends ConnectedTest {
    @Test
    void photoBecomesPortraitsEventByEvent() throws IOException {
        List<GenerateResponse> events = gateway.generate(Gateway.request(Gateway.photo(Gateway.sample()))
                .setNumImages(2)
                .setSteps(4)
                .setPreviewEvery(2)
                .setSeed(-1) // the largest one
                .setRequestId("my.request-1"));

        assertThat(events)
                .extracting(GenerateResponse::getSequence)
                .containsExactlyElementsOf(
                        LongStream.rangeClosed(1, events.size()).boxed().toList());
        assertThat(events)
                .extracting(GenerateResponse::getEventCase)
                .containsExactly(
                        EventCase.ACCEPTED,
                        EventCase.FACE_REPORT,
                        EventCase.STEP_PROGRESS,
                        EventCase.STEP_PROGRESS,
                        EventCase.PREVIEW,
                        EventCase.PREVIEW,
                        EventCase.STEP_PROGRESS,
                        EventCase.STEP_PROGRESS,
                        EventCase.PREVIEW,
                        EventCase.PREVIEW,
                        EventCase.IMAGE,
                        EventCase.IMAGE,
                        EventCase.COMPLETED);

        Accepted accepted = events.get(0).getAccepted();
        assertThat(accepted.getRequestId()).isEqualTo("my.request-1");
        assertThat(accepted.getSeedsList()).containsExactly(-1, 0);
        assertThat(accepted.getScheduler()).isEqualTo("dpmpp_2m");
        assertThat(accepted.getGuidanceScale()).isGreaterThanOrEqualTo(1);

        FaceReport report = events.get(1).getFaceReport();
        assertThat(report.getPhotoWidth()).isEqualTo(512);
        assertThat(report.getChoice()).isEqualTo(FaceChoice.FACE_CHOICE_LARGEST);
        assertThat(report.getFaces(report.getUsedIndex()).getLandmarksCount()).isEqualTo(5);

        List<PortraitImage> images = Gateway.images(events);
        assertThat(images).extracting(PortraitImage::getImageIndex).containsExactly(0, 1);
        assertThat(images).extracting(PortraitImage::getSeed).containsExactly(-1, 0);
        for (PortraitImage image : images) {
            BufferedImage decoded = ImageIO.read(image.getData().newInput());
            assertThat(decoded.getWidth()).isEqualTo(image.getWidth()).isEqualTo(128);
            assertThat(decoded.getHeight()).isEqualTo(image.getHeight()).isEqualTo(128);
            IdentityScore score = image.getIdentityScore();
            assertThat(score.hasSimilarity()).isNotEqualTo(score.getNoFaceFound());
            assertThat(score.getFace().getLandmarksCount()).isEqualTo(score.hasSimilarity() ? 5 : 0);
        }

        Completed completed = events.get(events.size() - 1).getCompleted();
        assertThat(completed.getUnetCalls()).isEqualTo(4);
        assertThat(completed.getTimingsList())
                .extracting(StageTiming::getStage)
                .containsSubsequence("decode", "detect", "align", "embed", "encode", "denoise", "vae_decode", "score");
    }

    @Test
    void whatWasNotSaidIsChosenAndTold() {
        List<GenerateResponse> events =
                gateway.generate(Gateway.request(Gateway.somebody(1)).setSteps(1));
        Accepted accepted = events.get(0).getAccepted();
        assertThat(accepted.getRequestId()).isNotEmpty();
        assertThat(accepted.getNumImages()).isEqualTo(1);
        assertThat(accepted.getSeedsCount()).isEqualTo(1);
        assertThat(accepted.getPreviewEvery()).isEqualTo(5);
        assertThat(accepted.getOutputFormat()).isEqualTo(ImageFormat.IMAGE_FORMAT_PNG);
        assertThat(accepted.getJpegQuality()).isZero();

        assertThat(gateway.portraits(
                        Gateway.request(Gateway.somebody(1)).setSteps(1).setSeed(accepted.getSeeds(0))))
                .containsExactly(Gateway.images(events).get(0).getData());
        assertThat(gateway.generate(Gateway.request(Gateway.somebody(1)).setSteps(1))
                        .get(0)
                        .getAccepted()
                        .getSeeds(0))
                .isNotEqualTo(accepted.getSeeds(0));
    }

    @Test
    void everyKindOfIdentityIsReportedAsWhatItIs() {
        ByteString grey = ByteString.copyFrom(new byte[112 * 112 * 3]);
        FaceReport aligned = gateway.generate(GenerateRequest.newBuilder()
                        .setIdentity(dev.arc2face.v1.IdentitySource.newBuilder()
                                .setAlignedFace(
                                        dev.arc2face.v1.AlignedFace.newBuilder().setRgb(grey)))
                        .setSteps(1))
                .get(1)
                .getFaceReport();
        assertThat(aligned.getChoice()).isEqualTo(FaceChoice.FACE_CHOICE_ALIGNED_CROP);
        FaceReport embedding = gateway.generate(
                        Gateway.request(Gateway.somebody(1)).setSteps(1))
                .get(1)
                .getFaceReport();
        assertThat(embedding.getChoice()).isEqualTo(FaceChoice.FACE_CHOICE_EMBEDDING);
        assertThat(embedding.hasUsedIndex()).isFalse();
    }

    @Test
    void jpegIsMadeToItsQuality() throws IOException {
        GenerateRequest.Builder request = Gateway.request(Gateway.somebody(1))
                .setSteps(1)
                .setSeed(1)
                .setOutputFormat(ImageFormat.IMAGE_FORMAT_JPEG);
        ByteString fine = gateway.portraits(request.clone().setJpegQuality(100)).get(0);
        ByteString coarse =
                gateway.portraits(request.clone().setJpegQuality(10)).get(0);
        assertThat(fine.size()).isGreaterThan(coarse.size());
        assertThat(ImageIO.read(fine.newInput()).getWidth()).isEqualTo(128);
        assertThat(fine.substring(0, 2)).isEqualTo(ByteString.copyFrom(new byte[] {(byte) 0xff, (byte) 0xd8}));
    }

    @Test
    void sameSeedGivesTheSameBytes() {
        GenerateRequest.Builder request =
                Gateway.request(Gateway.photo(Gateway.sample())).setSteps(3).setSeed(7);
        assertThat(gateway.portraits(request)).isEqualTo(gateway.portraits(request));
    }

    @Test
    void fourPicturesOfARequestEqualFourRequests() {
        GenerateRequest.Builder request =
                Gateway.request(Gateway.somebody(2)).setSteps(4).setSeed(40);
        List<ByteString> alone = IntStream.range(0, 4)
                .mapToObj(
                        i -> gateway.portraits(request.clone().setSeed(40 + i)).get(0))
                .toList();
        assertThat(gateway.portraits(request.clone().setNumImages(4))).isEqualTo(alone);
        assertThat(alone).doesNotHaveDuplicates();
    }

    @Test
    void callersAtOnceGetWhatTheyGetAlone() {
        List<GenerateRequest.Builder> requests = List.of(
                Gateway.request(Gateway.photo(Gateway.sample())).setSteps(12).setSeed(1),
                Gateway.request(Gateway.somebody(3)).setSteps(9).setSeed(2).setScheduler("euler"),
                Gateway.request(Gateway.somebody(4)).setSteps(15).setSeed(3).setNumImages(2),
                Gateway.request(Gateway.somebody(5))
                        .setSteps(10)
                        .setSeed(4)
                        .setScheduler("ddim")
                        .setGuidanceScale(1));
        List<List<ByteString>> alone = requests.stream().map(gateway::portraits).toList();

        ExecutorService callers = Executors.newFixedThreadPool(requests.size());
        List<CompletableFuture<List<ByteString>>> together = requests.stream()
                .map(request -> CompletableFuture.supplyAsync(() -> gateway.portraits(request), callers))
                .toList();
        assertThat(together.stream().map(CompletableFuture::join)).containsExactlyElementsOf(alone);
        callers.shutdownNow();
    }

    @Test
    void callerThatGoesAwaySendsAtMostOneFurtherStep() {
        SharedTriton triton = SharedTriton.get();
        Statistics.Counters before = triton.settledCounters("unet");
        Context.CancellableContext caller = Context.current().withCancellation();
        caller.run(() -> {
            // 32 rows, two calls a step: each takes much longer than a cancellation's way.
            Iterator<GenerateResponse> events = gateway.service()
                    .generate(Gateway.request(Gateway.somebody(6))
                            .setNumImages(16)
                            .setSteps(100)
                            .setGuidanceScale(2)
                            .build());
            while (!events.next().hasStepProgress()) {}
            caller.cancel(null);
        });
        int callsOfTheFirstStep = 2;
        await().during(Duration.ofSeconds(1)).until(() -> calls(triton, before) <= callsOfTheFirstStep + 1);
    }

    @Test
    void slowReaderLosesPreviewsAndOldProgressButNoImage() {
        int steps = 60; // so that all the previews do not fit into the buffers between here and there
        SharedTriton triton = SharedTriton.get();
        Statistics.Counters before = triton.settledCounters("unet");
        SlowReader reader = new SlowReader(gateway);
        reader.call(Gateway.request(Gateway.somebody(8))
                .setNumImages(16)
                .setSteps(steps)
                .setPreviewEvery(1)
                .setGuidanceScale(1)
                .build());
        reader.read(1);
        await().until(() -> calls(triton, before) >= steps);

        reader.readAll();
        List<GenerateResponse> events = new ArrayList<>(reader.awaitCompletion());
        assertThat(events).extracting(GenerateResponse::getSequence).isSorted().doesNotHaveDuplicates();
        assertThat(Gateway.images(events))
                .extracting(PortraitImage::getImageIndex)
                .containsExactlyElementsOf(IntStream.range(0, 16).boxed().toList());
        assertThat(events.stream().filter(GenerateResponse::hasPreview).count()).isLessThan(16L * steps);
        List<Integer> progress = events.stream()
                .filter(GenerateResponse::hasStepProgress)
                .map(event -> event.getStepProgress().getStep())
                .toList();
        assertThat(progress).isSorted().endsWith(steps).hasSizeLessThan(steps);
        assertThat(events.get(events.size() - 1).hasCompleted()).isTrue();
    }

    private static long calls(SharedTriton triton, Statistics.Counters before) {
        Statistics.Counters since = triton.counters("unet").since(before);
        return since.succeeded() + since.failed();
    }
}
