package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.Preview;
import dev.arc2face.v1.Queued;
import dev.arc2face.v1.StepProgress;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EventWriterTest {
    private static final int MAX_EVENT_BYTES = 1 << 16;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final AtomicInteger stops = new AtomicInteger();
    private final Client client = new Client();

    @AfterEach
    void stopTimer() {
        timer.shutdownNow();
    }

    @Test
    void readyClientGetsEveryEventAtOnce() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        writer.send(progress(1));
        writer.send(preview(0));
        writer.send(progress(2));
        writer.send(image(0));
        writer.complete();
        assertThat(client.told()).containsExactly("step 1", "preview 0", "step 2", "image 0", "completed");
    }

    @Test
    void slowClientLosesPreviewsAndOldProgressButNoImage() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        client.ready = false;
        for (int step = 1; step <= 20; step++) {
            writer.send(progress(step));
            writer.send(preview(step));
        }
        for (int image = 0; image < 16; image++) {
            writer.send(image(image));
        }
        writer.send(GenerateResponse.newBuilder()
                .setCompleted(Completed.getDefaultInstance())
                .build());
        writer.complete();
        assertThat(client.told()).isEmpty();

        client.becomeReady();
        assertThat(client.told())
                .hasSize(1 + 16 + 1 + 1)
                .startsWith("step 20", "image 0")
                .endsWith("completed");
    }

    @Test
    void clientThatReadsOneByOneGetsThemOneByOneInOrder() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        client.ready = false;
        client.readyForOne = true;
        for (int image = 0; image < 3; image++) {
            writer.send(image(image));
        }
        assertThat(client.told()).containsExactly("image 0");
        client.becomeReadyForOne();
        assertThat(client.told()).containsExactly("image 0", "image 1");
        client.becomeReadyForOne();
        assertThat(client.told()).containsExactly("image 0", "image 1", "image 2");
    }

    @Test
    void previewNeverOvertakesWhatWaits() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        client.ready = false;
        writer.send(progress(1));
        client.ready = true; // and not told yet
        writer.send(preview(0));
        assertThat(client.told()).containsExactly("step 1", "preview 0");
    }

    @Test
    void stalledClientIsToldThatItIsTooSlowAndTheWorkStops() {
        EventWriter writer = writer(Duration.ofMillis(50));
        client.ready = false;
        writer.send(image(0));
        await().until(() -> stops.get() == 1);
        assertThat(client.told()).containsExactly("CLIENT_TOO_SLOW");
        assertThatThrownBy(() -> writer.send(progress(1)))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.CLIENT_TOO_SLOW));
        writer.complete();
        writer.fail(new IllegalStateException());
        assertThat(client.told()).hasSize(1);
    }

    @Test
    void laterProgressDoesNotExcuseAStalledClient() {
        EventWriter writer = writer(Duration.ofMillis(50));
        client.ready = false;
        assertThatThrownBy(() -> await().pollInterval(Duration.ofMillis(1)).until(() -> {
                    writer.send(progress(1));
                    return false;
                }))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.CLIENT_TOO_SLOW));
        assertThat(client.told()).containsExactly("CLIENT_TOO_SLOW");
    }

    @Test
    void clientWithNothingToReadIsNotStalled() {
        EventWriter writer = writer(Duration.ofMillis(50));
        client.ready = false;
        writer.send(image(0));
        client.becomeReady();
        client.ready = false;
        // A second stream's stall tells that the limit has passed.
        Client other = new Client();
        AtomicInteger otherStops = new AtomicInteger();
        EventWriter stalled = new EventWriter(
                other, MAX_EVENT_BYTES, Duration.ofMillis(50), timer, gone -> otherStops.incrementAndGet());
        other.ready = false;
        stalled.send(image(0));
        await().until(() -> otherStops.get() == 1);
        assertThat(stops).hasValue(0);
        assertThat(client.told()).containsExactly("image 0");
    }

    @Test
    void clientThatTookTheCompletionLateIsStillWatched() {
        EventWriter writer = writer(Duration.ofMillis(50));
        client.ready = false;
        writer.send(image(0));
        writer.complete();
        await().until(() -> client.told().equals(List.of("CLIENT_TOO_SLOW")));
    }

    @Test
    void clientThatGoesAwayStopsTheWorkAndGetsNothingMore() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        writer.send(progress(1));
        client.cancel();
        assertThat(stops).hasValue(1);
        assertThatThrownBy(() -> writer.send(progress(2)))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.CANCELLED));
        writer.fail(new IllegalStateException());
        assertThat(client.told()).containsExactly("step 1");
    }

    @Test
    void failureComesBeforeWhatWaits() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        client.ready = false;
        writer.send(image(0));
        writer.fail(FailureException.of(ErrorReason.MODEL_SERVER_UNAVAILABLE, "away"));
        client.becomeReady();
        assertThat(client.told()).containsExactly("MODEL_SERVER_UNAVAILABLE");
    }

    @Test
    void eventLargerThanTheLimitIsNeverSent() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        GenerateResponse large = GenerateResponse.newBuilder()
                .setImage(PortraitImage.newBuilder().setData(ByteString.copyFrom(new byte[MAX_EVENT_BYTES])))
                .build();
        assertThatThrownBy(() -> writer.send(large))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.INTERNAL));
        assertThat(client.told()).isEmpty();
    }

    @Test
    void whereItWaitsComesAfterTheAcceptance() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        writer.send(accepted());
        writer.send(queued(2));
        writer.send(queued(1));
        assertThat(client.told()).containsExactly("ACCEPTED", "queued 2", "queued 1");
    }

    @Test
    void slowClientGetsItsLatestPlaceOnly() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        client.ready = false;
        writer.send(accepted());
        writer.send(queued(3));
        writer.send(queued(2));
        writer.send(queued(1));
        client.becomeReady();
        assertThat(client.told()).containsExactly("ACCEPTED", "queued 1");
    }

    @Test
    void placeThatComesAfterTheWorkHasBegunIsNotSent() {
        EventWriter writer = writer(Duration.ofMinutes(1));
        writer.send(accepted());
        writer.send(progress(1));
        writer.send(queued(1));
        assertThat(client.told()).containsExactly("ACCEPTED", "step 1");
    }

    @Test
    void clientThatHasLeftBeforeIsNoticed() {
        client.cancelled = true;
        EventWriter writer = writer(Duration.ofMinutes(1));
        writer.begin();
        assertThat(stops).hasValue(1);
    }

    private EventWriter writer(Duration stallLimit) {
        return new EventWriter(client, MAX_EVENT_BYTES, stallLimit, timer, gone -> stops.incrementAndGet());
    }

    private static GenerateResponse accepted() {
        return GenerateResponse.newBuilder()
                .setAccepted(Accepted.getDefaultInstance())
                .build();
    }

    private static GenerateResponse queued(int position) {
        return GenerateResponse.newBuilder()
                .setQueued(Queued.newBuilder().setPosition(position))
                .build();
    }

    private static GenerateResponse progress(int step) {
        return GenerateResponse.newBuilder()
                .setStepProgress(StepProgress.newBuilder().setStep(step))
                .build();
    }

    private static GenerateResponse preview(int image) {
        return GenerateResponse.newBuilder()
                .setPreview(Preview.newBuilder().setImageIndex(image))
                .build();
    }

    private static GenerateResponse image(int image) {
        return GenerateResponse.newBuilder()
                .setImage(PortraitImage.newBuilder().setImageIndex(image))
                .build();
    }

    /** The client's side of a stream, ready when it is told to be. */
    private static final class Client extends ServerCallStreamObserver<GenerateResponse> {
        private final List<String> told = new CopyOnWriteArrayList<>();
        private Runnable onReady = () -> {};
        private Runnable onCancel = () -> {};
        private volatile boolean ready = true;
        private volatile boolean readyForOne;
        private volatile boolean cancelled;

        List<String> told() {
            return told;
        }

        void becomeReady() {
            ready = true;
            onReady.run();
        }

        void becomeReadyForOne() {
            readyForOne = true;
            onReady.run();
        }

        void cancel() {
            onCancel.run();
        }

        @Override
        public void onNext(GenerateResponse event) {
            readyForOne = false;
            told.add(
                    switch (event.getEventCase()) {
                        case QUEUED -> "queued " + event.getQueued().getPosition();
                        case STEP_PROGRESS -> "step " + event.getStepProgress().getStep();
                        case PREVIEW -> "preview " + event.getPreview().getImageIndex();
                        case IMAGE -> "image " + event.getImage().getImageIndex();
                        default -> event.getEventCase().name();
                    });
        }

        @Override
        public void onError(Throwable failure) {
            Throwable carried = ((StatusRuntimeException) failure).getStatus().getCause();
            told.add(((FailureException) carried).reason().name());
        }

        @Override
        public void onCompleted() {
            told.add("completed");
        }

        @Override
        public boolean isReady() {
            return ready || readyForOne;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {
            onReady = handler;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {
            onCancel = handler;
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }

        @Override
        public void setOnReadyThreshold(int bytes) {}

        @Override
        public void setCompression(String compression) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void disableAutoInboundFlowControl() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void request(int count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setMessageCompression(boolean enable) {
            throw new UnsupportedOperationException();
        }
    }
}
