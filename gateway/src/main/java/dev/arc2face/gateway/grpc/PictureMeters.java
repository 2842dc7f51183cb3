package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationEvent.Decoded;
import dev.arc2face.gateway.diffusion.GenerationEvent.Finished;
import dev.arc2face.gateway.diffusion.GenerationEvent.FurtherAttempt;
import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.SimilarityFloor;
import dev.arc2face.gateway.face.ScoredFace;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One generation's steps and pictures. Every picture that is decoded is counted once more: delivered, rejected, or
 * discarded. One owner, one thread.
 */
final class PictureMeters {
    private static final Duration[] STEPS =
            Meters.millis(2, 5, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000, 5000, 20_000);
    private static final Duration[] STAGES =
            Meters.millis(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000);

    private final Meters meters;
    private final String variant;
    private final SimilarityFloor floor;
    private final Timer step;
    private final Counter pictureSteps;
    private final Counter rejected;

    /** When the step before ended: the time of an attempt's first one is not its own. */
    private long last;

    private int unsettled;

    PictureMeters(Meters meters, GenerationOptions options) {
        this.meters = meters;
        variant = options.variant().id();
        floor = options.floor();
        step = meters.timer("arc2face.step", "Denoising steps of a generation", STEPS, "variant", variant);
        pictureSteps = meters.counter(
                "arc2face.picture.steps", "Denoising steps; one of n pictures counts n", "variant", variant);
        rejected = meters.counter(
                "arc2face.pictures.rejected",
                "Pictures that were less similar than was asked, and drawn again",
                "variant",
                variant);
    }

    /** Events on their way. */
    Consumer<GenerationEvent> watching(Consumer<GenerationEvent> events) {
        return event -> {
            count(event);
            events.accept(event);
            if (event instanceof Portrait portrait) {
                delivered(portrait);
            }
        };
    }

    private void count(GenerationEvent event) {
        if (event instanceof Progress progress) {
            long now = System.nanoTime();
            if (progress.step() > 1) {
                step.record(Duration.ofNanos(now - last));
            }
            last = now;
            pictureSteps.increment(progress.portraits());
        } else if (event instanceof Decoded decoded) {
            unsettled += decoded.pictures();
        } else if (event instanceof FurtherAttempt again) {
            unsettled -= again.workload().pictures();
            rejected.increment(again.workload().pictures());
        } else if (event instanceof Finished finished) {
            finished.timings()
                    .forEach((stage, time) -> meters.timer(
                                    "arc2face.stage",
                                    "What a generation that was completed spent in a stage",
                                    STAGES,
                                    "stage",
                                    stage.id())
                            .record(time));
        }
    }

    private void delivered(Portrait portrait) {
        Optional<ScoredFace> score = portrait.score();
        unsettled--;
        meters.counter(
                        "arc2face.pictures",
                        "Portraits delivered: whether a face was found in them, and whether they are as similar as asked",
                        "face",
                        score.isPresent() ? "found" : "none",
                        "floor",
                        outcome(score))
                .increment();
        score.ifPresent(scored -> meters.similarity().record(Math.max(0, scored.similarity())));
    }

    private String outcome(Optional<ScoredFace> score) {
        if (floor.minSimilarity().isEmpty()) {
            return "none";
        }
        return floor.isReachedBy(score) ? "reached" : "missed";
    }

    /** The generation has ended: pictures that are neither delivered nor rejected are nobody's. */
    void ended(String outcome) {
        if (unsettled > 0) {
            meters.discarded(variant, outcome).increment(unsettled);
            unsettled = 0;
        }
    }
}
