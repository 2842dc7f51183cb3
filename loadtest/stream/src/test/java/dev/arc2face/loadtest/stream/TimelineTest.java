package dev.arc2face.loadtest.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.StepProgress;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A run that begins at moment 0 and measures from second 10 to second 20; times in milliseconds. */
class TimelineTest {
    private final Recording recording = new Recording(new Window(0, Duration.ofSeconds(10), Duration.ofSeconds(10)));

    @Test
    void everythingCountsFromTheIntendedStart() {
        Timeline call = timeline(10_000, null);
        call.started(ms(10_300));
        call.event(ms(10_310), accepted());
        call.event(ms(10_400), progress(1));
        call.event(ms(10_450), progress(2));
        call.event(ms(10_520), progress(3));
        call.event(ms(10_600), picture());
        call.ended(ms(10_700), Ending.OK);

        assertLargest(Metric.GENERATOR_DELAY, 300);
        assertLargest(Metric.FIRST_EVENT, 310);
        assertLargest(Metric.FIRST_PROGRESS, 400);
        assertLargest(Metric.FIRST_PICTURE, 600);
        assertLargest(Metric.TOTAL, 700);
        assertLargest(Metric.BETWEEN_STEPS, 70);
        assertLargest(Metric.STEP_JITTER, 20);
        assertThat(recording.totalBySteps()).containsOnlyKeys(3);
        assertThat(recording.throughput.pictureSteps.sum()).isEqualTo(6);
        assertThat(recording.throughput.goodPictureSteps.sum()).isEqualTo(6);
    }

    @Test
    void callOfTheWarmUpCountsForThroughputOnly() {
        Timeline call = timeline(9_999, null);
        call.started(ms(9_999));
        call.event(ms(9_999), progress(1));
        call.event(ms(10_001), progress(2));
        call.ended(ms(10_100), Ending.OK);

        assertThat(recording.throughput.steps.sum()).isEqualTo(1);
        assertThat(recording.outcomes()).isEmpty();
        for (Metric metric : Metric.values()) {
            assertThat(recording.histogram(metric).getTotalCount())
                    .as(metric.key())
                    .isZero();
        }
    }

    @Test
    void callThatEndsAfterTheWindowIsMeasuredToItsEnd() {
        Timeline call = timeline(19_900, null);
        call.started(ms(19_900));
        call.event(ms(25_000), progress(1));
        call.ended(ms(30_000), Ending.OK);

        assertLargest(Metric.FIRST_PROGRESS, 5_100);
        assertLargest(Metric.TOTAL, 10_100);
        assertThat(recording.throughput.steps.sum()).isZero();
        assertThat(recording.throughput.goodCalls.sum()).isZero();
    }

    @Test
    void cancelledCallKeepsWhatItHadMeasured() {
        Timeline call = timeline(10_000, null);
        call.started(ms(10_000));
        call.event(ms(10_010), accepted());
        call.event(ms(10_100), progress(1));
        call.ended(ms(10_110), Ending.CANCELLED_BY_TESTER);

        assertLargest(Metric.FIRST_EVENT, 10);
        assertLargest(Metric.FIRST_PROGRESS, 100);
        assertLargest(Metric.CANCELLED, 110);
        Recording.Calls calls = recording.calls(Ending.CANCELLED_BY_TESTER.outcome());
        assertThat(calls.calls.sum()).isEqualTo(1);
        assertThat(calls.steps.sum()).isEqualTo(1);
    }

    @Test
    void stepsThatASlowReaderMissedAreCounted() {
        Timeline call = timeline(10_000, null);
        call.started(ms(10_000));
        call.event(ms(10_100), progress(1));
        call.event(ms(10_900), progress(9));

        assertThat(recording.throughput.steps.sum()).isEqualTo(9);
    }

    @Test
    void refusalHasAHistogramOfItsOwnAndItsRetryDelay() {
        Timeline call = timeline(10_000, Duration.ofSeconds(1));
        call.started(ms(10_005));
        call.ended(ms(10_020), Ending.of(refusal()));

        assertLargest(Metric.REFUSED, 20);
        assertLargest(Metric.REFUSED_AFTER_START, 15);
        assertLargest(Metric.RETRY_DELAY, 2_500);
        assertThat(recording.histogram(Metric.FAILED).getTotalCount()).isZero();
        assertThat(recording.outcomes().keySet())
                .extracting(Object::toString)
                .containsExactly("RESOURCE_EXHAUSTED QUEUE_FULL");
    }

    @Test
    void deadlineThatWasMissedAfterAdmissionIsNoRefusal() {
        Timeline call = timeline(10_000, Duration.ofSeconds(1));
        call.started(ms(10_000));
        call.event(ms(10_100), progress(1));
        call.ended(ms(11_000), Ending.of(Status.DEADLINE_EXCEEDED.asRuntimeException()));

        assertLargest(Metric.FAILED, 1_000);
        Recording.Calls calls = recording.calls(new Ending.Outcome(Status.Code.DEADLINE_EXCEEDED, ""));
        assertThat(calls.admittedWithDeadline.sum()).isEqualTo(1);
        assertThat(calls.pictureSteps.sum()).isEqualTo(2);
    }

    private Timeline timeline(long intended, Duration deadline) {
        GenerateRequest request = GenerateRequest.newBuilder().setNumImages(2).build();
        return new Timeline(recording, new PlannedCall(request, deadline, 0), ms(intended));
    }

    /** In milliseconds; a histogram knows three digits. */
    private void assertLargest(Metric metric, double millis) {
        assertThat(recording.histogram(metric).getMaxValue() / 1e3)
                .as(metric.key())
                .isCloseTo(millis, withinPercentage(0.1));
    }

    private static Throwable refusal() {
        return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                .setCode(Status.Code.RESOURCE_EXHAUSTED.value())
                .addDetails(
                        Any.pack(ErrorInfo.newBuilder().setReason("QUEUE_FULL").build()))
                .addDetails(Any.pack(RetryInfo.newBuilder()
                        .setRetryDelay(com.google.protobuf.Duration.newBuilder()
                                .setSeconds(2)
                                .setNanos(500_000_000))
                        .build()))
                .build());
    }

    private static GenerateResponse accepted() {
        return GenerateResponse.newBuilder()
                .setAccepted(Accepted.getDefaultInstance())
                .build();
    }

    private static GenerateResponse progress(int step) {
        return GenerateResponse.newBuilder()
                .setStepProgress(StepProgress.newBuilder().setStep(step).setTotalSteps(3))
                .build();
    }

    private static GenerateResponse picture() {
        return GenerateResponse.newBuilder()
                .setImage(PortraitImage.getDefaultInstance())
                .build();
    }

    private static long ms(long millis) {
        return millis * 1_000_000;
    }
}
