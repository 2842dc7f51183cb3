package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.face.FaceReport;
import dev.arc2face.gateway.face.ScoredFace;
import dev.arc2face.gateway.face.Stage;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.provenance.PictureFile;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What happens in a generation, in this order: {@link Identified}, then {@link Progress} and {@link Preview} step by
 * step, then every {@link Portrait}, then {@link Finished}. Where portraits fall short of the {@link SimilarityFloor}, those
 * that do not come before {@link FurtherAttempt}, and steps and portraits again after it.
 */
public sealed interface GenerationEvent {

    /** It is known who is to be portrayed. */
    record Identified(FaceReport report) implements GenerationEvent {}

    /**
     * A denoising step is done.
     *
     * @param attempt which attempt it belongs to, from 1
     * @param portraits that are drawn in this attempt
     * @param step steps of this attempt that are done, from 1
     * @param total steps of an attempt
     * @param elapsed since the generation began
     * @param expectedRemaining until it is finished, if there is no further attempt
     */
    record Progress(int attempt, int portraits, int step, int total, Duration elapsed, Duration expectedRemaining)
            implements GenerationEvent {}

    /**
     * Some portraits fall short of the floor, and are drawn again.
     *
     * @param workload of this attempt
     */
    record FurtherAttempt(Workload workload) implements GenerationEvent {}

    /**
     * An approximate picture of an unfinished portrait.
     *
     * @param imageIndex which portrait, from 0
     * @param seed of this attempt at it, a uint32
     * @param step steps done when it was made, those of earlier attempts included
     * @param jpeg encoded, {@code width} by {@code height} pixels
     */
    record Preview(int imageIndex, int seed, int step, byte[] jpeg, int width, int height) implements GenerationEvent {}

    /**
     * A finished portrait.
     *
     * @param imageIndex which portrait, from 0
     * @param seed its own seed, a uint32
     * @param attempts made at it
     * @param file encoded, {@code width} by {@code height} pixels
     * @param score how much of the input's identity it shows; empty where no face was found in it
     */
    record Portrait(
            int imageIndex,
            int seed,
            int attempts,
            PictureFile file,
            ImageFormat format,
            int width,
            int height,
            Optional<ScoredFace> score)
            implements GenerationEvent {
        /** The same, delivered after so many attempts. */
        Portrait settled(int afterAttempts) {
            return new Portrait(imageIndex, seed, afterAttempts, file, format, width, height, score);
        }
    }

    /**
     * The generation is finished.
     *
     * @param elapsed since it began
     * @param timings wall-clock time in each stage
     * @param unetCalls calls of the UNet, each of at most its {@code max_batch_size} rows
     * @param rejected portraits that were drawn again, each time counted
     */
    record Finished(Duration elapsed, Map<Stage, Duration> timings, int unetCalls, int rejected)
            implements GenerationEvent {}
}
