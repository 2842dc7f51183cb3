package dev.arc2face.loadtest.stream;

import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.StepProgress;
import io.grpc.Status;

/**
 * The times of one call, from the moment when it was meant to start. What has been measured is recorded as it happens, so
 * that a call which is cancelled or fails loses nothing. A call that was meant to start outside the window counts for
 * throughput only. One thread at a time.
 */
final class Timeline {
    private final Recording recording;
    private final PlannedCall plan;
    private final long intended;
    private final boolean measured;

    private long started;
    private boolean admitted;
    private int steps;
    private int totalSteps;
    private int pictures;
    private long lastProgress;
    private long lastGap = -1;

    Timeline(Recording recording, PlannedCall plan, long intended) {
        this.recording = recording;
        this.plan = plan;
        this.intended = intended;
        this.measured = recording.window().contains(intended);
    }

    void started(long now) {
        started = now;
        recording.live.started.increment();
        measure(Metric.GENERATOR_DELAY, now - intended);
    }

    void event(long now, GenerateResponse event) {
        if (!admitted) {
            admitted = true;
            measure(Metric.FIRST_EVENT, now - intended);
        }
        switch (event.getEventCase()) {
            case STEP_PROGRESS -> progress(now, event.getStepProgress());
            case IMAGE -> picture(now);
            default -> {}
        }
    }

    /** Steps done so far. */
    int steps() {
        return steps;
    }

    void ended(long now, Ending ending) {
        boolean refused = !admitted && ending.outcome().code() == Status.Code.RESOURCE_EXHAUSTED;
        recording.live.ended.increment();
        if (ending.ok()) {
            recording.live.good.increment();
        }
        if (refused) {
            recording.live.refused.increment();
        }
        if (ending.ok() && recording.window().contains(now)) {
            recording.throughput.goodCalls.increment();
            recording.throughput.goodPictureSteps.add((long) steps * plan.images());
        }
        if (measured) {
            count(ending);
            measureEnd(now, ending, refused);
        }
    }

    private void progress(long now, StepProgress progress) {
        int done = progress.getStep() - steps; // of several only the latest came, where the reader was slow
        recording.live.steps.add(done);
        if (recording.window().contains(now)) {
            recording.throughput.steps.add(done);
            recording.throughput.pictureSteps.add((long) done * plan.images());
        }
        if (steps == 0) {
            measure(Metric.FIRST_PROGRESS, now - intended);
        } else {
            long gap = now - lastProgress;
            measure(Metric.BETWEEN_STEPS, gap);
            if (lastGap >= 0) {
                measure(Metric.STEP_JITTER, Math.abs(gap - lastGap));
            }
            lastGap = gap;
        }
        lastProgress = now;
        steps = progress.getStep();
        totalSteps = progress.getTotalSteps();
    }

    private void picture(long now) {
        if (pictures++ == 0) {
            measure(Metric.FIRST_PICTURE, now - intended);
        }
        if (recording.window().contains(now)) {
            recording.throughput.pictures.increment();
        }
    }

    private void count(Ending ending) {
        Recording.Calls calls = recording.calls(ending.outcome());
        calls.calls.increment();
        if (admitted) {
            calls.admitted.increment();
            if (plan.deadline() != null) {
                calls.admittedWithDeadline.increment();
            }
        }
        calls.steps.add(steps);
        calls.pictureSteps.add((long) steps * plan.images());
        calls.pictures.add(pictures);
        if (ending.retryDelay() != null) {
            calls.retryInfos.increment();
            measure(Metric.RETRY_DELAY, ending.retryDelay().toNanos());
        }
    }

    private void measureEnd(long now, Ending ending, boolean refused) {
        long latency = now - intended;
        if (ending.ok()) {
            recording.recordTotal(totalSteps, latency);
        } else if (refused) {
            measure(Metric.REFUSED, latency);
            measure(Metric.REFUSED_AFTER_START, now - started);
        } else if (ending.equals(Ending.CANCELLED_BY_TESTER)) {
            measure(Metric.CANCELLED, latency);
        } else {
            measure(Metric.FAILED, latency); // of one still open at the end a lower bound
        }
    }

    private void measure(Metric metric, long nanos) {
        if (measured) {
            recording.record(metric, nanos);
        }
    }
}
