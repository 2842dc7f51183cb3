package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.triton.WholeBatches;
import java.math.BigDecimal;
import java.math.RoundingMode;

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
 * @param jpegQuality 1 to 100, without meaning for other formats
 * @param reproducible whether every model call has a batch of its own, always as large ({@link WholeBatches})
 * @param floor how similar each portrait must be
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
        boolean reproducible,
        SimilarityFloor floor) {
    /**
     * From one attempt to the next: 2^32 over the golden ratio, so that the attempts at sixteen portraits, whose first
     * seeds are neighbours, never meet.
     */
    private static final int SEED_STRIDE = 0x9E3779B9;

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

    /** The seed (uint32) of the first attempt at a portrait. */
    public int seed(int imageIndex) {
        return seed(imageIndex, 1);
    }

    /** The seed (uint32) of an attempt at a portrait, the first one being 1. */
    int seed(int imageIndex, int attempt) {
        return firstSeed + imageIndex + (attempt - 1) * SEED_STRIDE;
    }

    /** The UNet calls that the first attempt takes. */
    public Workload workload() {
        return workload(variant.schedule(scheduler, steps).steps().size(), numImages);
    }

    /** The UNet calls of an attempt at so many portraits, by a schedule with so many steps. */
    Workload workload(int ofSteps, int portraits) {
        int guided = guidedSteps(ofSteps);
        return new Workload(
                variant.id(), portraits, part(guided, portraits, guidanceScale), part(ofSteps - guided, portraits, 1));
    }

    private Workload.Part part(int ofSteps, int portraits, float scale) {
        Unet.Calls calls = variant.unet().calls(portraits, scale);
        int count = calls.chunks().size();
        int pictures = reproducible ? count * calls.model().maxBatchSize() / calls.rows() : portraits;
        int rows = scale == 1 ? pictures : 2 * pictures; // computed, be it that one of each two is inside the model
        return new Workload.Part(ofSteps, count, (double) rows / count);
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
