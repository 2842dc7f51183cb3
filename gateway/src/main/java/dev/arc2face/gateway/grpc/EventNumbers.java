package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.v1.GenerateResponse;
import java.util.stream.IntStream;

/**
 * The numbers of a generation's events: 1, 2, 3, ... in the order in which they happen, and the same at every gateway that
 * makes the same generation, so that a caller can go on with it anywhere. An event that is dropped leaves a gap, and so does
 * one that did not come to pass: each attempt has a number for every step, preview and portrait that it may have. A place in
 * the queue, which is none of the generation's doing, has the number of the acceptance.
 */
public final class EventNumbers {
    static final long ACCEPTED = 1;

    /** More than any event's: who has heard of this wants to hear no more. */
    public static final long END = Long.MAX_VALUE;

    private static final long FACE_REPORT = 2;

    private final GenerationOptions options;
    private final int steps;

    EventNumbers(GenerationOptions options) {
        this.options = options;
        this.steps = options.workload().steps();
    }

    GenerateResponse number(GenerateResponse.Builder event) {
        return event.setSequence(of(event)).build();
    }

    private long of(GenerateResponse.Builder event) {
        int images = options.numImages();
        return switch (event.getEventCase()) {
            case ACCEPTED, QUEUED -> ACCEPTED;
            case FACE_REPORT -> FACE_REPORT;
            case STEP_PROGRESS -> ofStep(event.getStepProgress().getStep());
            case PREVIEW ->
                ofStep(event.getPreview().getStep()) + 1 + event.getPreview().getImageIndex();
            case IMAGE ->
                endOfAttempt(event.getImage().getAttempts())
                        - images
                        + 1
                        + event.getImage().getImageIndex();
            case COMPLETED -> endOfAttempt(options.floor().maxAttempts()) + 1;
            case EVENT_NOT_SET -> throw new IllegalArgumentException("an event that says nothing");
        };
    }

    /** @param step counted over all attempts, from 1 */
    private long ofStep(int step) {
        int attemptsBefore = (step - 1) / steps;
        int ofAttempt = step - attemptsBefore * steps;
        return endOfAttempt(attemptsBefore) + ofAttempt + previewsBefore(ofAttempt);
    }

    private long endOfAttempt(int attempt) {
        return FACE_REPORT + (long) attempt * (steps + previewsBefore(steps + 1) + options.numImages());
    }

    /** @param step of an attempt, from 1 */
    private long previewsBefore(int step) {
        long steps = IntStream.range(1, step).filter(options::wantsPreviewAfter).count();
        return steps * options.numImages();
    }
}
