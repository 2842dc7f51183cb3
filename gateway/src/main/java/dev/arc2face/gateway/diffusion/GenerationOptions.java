package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.triton.WholeBatches;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.stream.IntStream;

/**
 * What a generation is asked for, every choice made.
 *
 * @param variant the UNet that draws
 * @param numImages portraits, at least 1
 * @param steps denoising steps, at least 1
 * @param guidanceScale of classifier-free guidance (arXiv 2207.12598), at least 1; 1 is no guidance
 * @param guidanceUntil the share of the steps, from the first on, that are guided: above 0, at most 1
 * @param scheduler the solver of the denoising steps
 * @param firstSeed uint32; portrait i has seed {@code firstSeed + i} (mod 2^32)
 * @param previewEvery previews after each this many steps; 0 is none
 * @param format of the finished portraits
 * @param jpegQuality 1 to 100, without meaning for PNG
 * @param reproducible whether every model call has a batch of its own, always as large ({@link WholeBatches})
 */
public record GenerationOptions(
        Variant variant,
        int numImages,
        int steps,
        float guidanceScale,
        float guidanceUntil,
        SchedulerKind scheduler,
        int firstSeed,
        int previewEvery,
        ImageFormat format,
        int jpegQuality,
        boolean reproducible) {
    public GenerationOptions {
        if (numImages < 1) {
            throw new IllegalArgumentException("numImages = " + numImages);
        }
        if (steps < 1) {
            throw new IllegalArgumentException("steps = " + steps);
        }
        if (!(guidanceScale >= 1)) {
            throw new IllegalArgumentException("guidanceScale = " + guidanceScale);
        }
        if (!(guidanceUntil > 0 && guidanceUntil <= 1)) {
            throw new IllegalArgumentException("guidanceUntil = " + guidanceUntil);
        }
        if (previewEvery < 0) {
            throw new IllegalArgumentException("previewEvery = " + previewEvery);
        }
    }

    /** The seed (uint32) of a portrait. */
    public int seed(int imageIndex) {
        return firstSeed + imageIndex;
    }

    /** The UNet calls that it takes. */
    public Workload workload() {
        return workload(variant.schedule(scheduler, steps).steps().size());
    }

    /** The UNet calls of a schedule with so many steps. */
    Workload workload(int ofSteps) {
        int guided = guidedSteps(ofSteps);
        return new Workload(variant.id(), numImages, part(guided, guidanceScale), part(ofSteps - guided, 1));
    }

    private Workload.Part part(int ofSteps, float scale) {
        Unet.Calls calls = variant.unet().calls(numImages, scale);
        int count = calls.chunks().size();
        int pictures = reproducible ? count * calls.model().maxBatchSize() / calls.rows() : numImages;
        int rows = scale == 1 ? pictures : 2 * pictures; // computed, be it that one of each two is inside the model
        return new Workload.Part(ofSteps, count, (double) rows / count);
    }

    int[] seeds() {
        return IntStream.range(0, numImages).map(this::seed).toArray();
    }

    /**
     * How many of so many steps are guided: none at scale 1, otherwise {@code ceil(guidanceUntil * steps)} of the decimal
     * number that the caller wrote. (As a float, 0.3 is a little more than three tenths.)
     */
    int guidedSteps(int ofSteps) {
        return guidanceScale == 1
                ? 0
                : new BigDecimal(Float.toString(guidanceUntil))
                        .multiply(BigDecimal.valueOf(ofSteps))
                        .setScale(0, RoundingMode.CEILING)
                        .intValueExact();
    }

    public boolean wantsPreviewAfter(int step) {
        return previewEvery > 0 && step % previewEvery == 0;
    }
}
