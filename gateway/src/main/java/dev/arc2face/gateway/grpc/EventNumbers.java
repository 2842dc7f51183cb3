package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.v1.GenerateResponse;

/**
 * The numbers of a generation's events: 1, 2, 3, ... in the order in which they happen, and the same at every gateway that
 * makes the same generation, so that a caller can go on with it anywhere. An event that is dropped leaves a gap. A place
 * in the queue, which is none of the generation's doing, has the number of the acceptance.
 */
final class EventNumbers {
    static final long ACCEPTED = 1;

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
        return switch (event.getEventCase()) {
            case ACCEPTED, QUEUED -> ACCEPTED;
            case FACE_REPORT -> FACE_REPORT;
            case STEP_PROGRESS -> ofStep(event.getStepProgress().getStep());
            case PREVIEW ->
                ofStep(event.getPreview().getStep()) + 1 + event.getPreview().getImageIndex();
            case IMAGE -> ofStep(steps + 1) + event.getImage().getImageIndex();
            case COMPLETED -> ofStep(steps + 1) + options.numImages();
            case EVENT_NOT_SET -> throw new IllegalArgumentException("an event that says nothing");
        };
    }

    private long ofStep(int step) {
        int previews = 0;
        for (int earlier = 1; earlier < step; earlier++) {
            previews += options.wantsPreviewAfter(earlier) ? options.numImages() : 0;
        }
        return FACE_REPORT + step + previews;
    }
}
