package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.face.FaceReport;
import dev.arc2face.gateway.face.ScoredFace;
import dev.arc2face.gateway.face.Stage;
import dev.arc2face.gateway.image.ImageFormat;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What happens in a generation, in this order: {@link Identified}, then {@link Progress} and {@link Preview} step by
 * step, then every {@link Portrait}, then {@link Finished}.
 */
public sealed interface GenerationEvent {

    /** It is known who is to be portrayed. */
    record Identified(FaceReport report) implements GenerationEvent {}

    /**
     * A denoising step is done.
     *
     * @param step steps done, from 1
     * @param total steps in all
     * @param elapsed since the generation began
     * @param expectedRemaining until it is finished
     */
    record Progress(int step, int total, Duration elapsed, Duration expectedRemaining) implements GenerationEvent {}

    /**
     * An approximate picture of an unfinished portrait.
     *
     * @param imageIndex which portrait, from 0
     * @param step steps done when it was made
     * @param jpeg encoded, {@code width} by {@code height} pixels
     */
    record Preview(int imageIndex, int step, byte[] jpeg, int width, int height) implements GenerationEvent {}

    /**
     * A finished portrait.
     *
     * @param imageIndex which portrait, from 0
     * @param seed its own seed, a uint32
     * @param data encoded, {@code width} by {@code height} pixels
     * @param score how much of the input's identity it shows; empty where no face was found in it
     */
    record Portrait(
            int imageIndex,
            int seed,
            byte[] data,
            ImageFormat format,
            int width,
            int height,
            Optional<ScoredFace> score)
            implements GenerationEvent {}

    /**
     * The generation is finished.
     *
     * @param elapsed since it began
     * @param timings wall-clock time in each stage
     * @param unetCalls calls of the UNet, each of at most its {@code max_batch_size} rows
     */
    record Finished(Duration elapsed, Map<Stage, Duration> timings, int unetCalls) implements GenerationEvent {}
}
