package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.triton.Sizes;

/**
 * Latents of several portraits, in FP32.
 *
 * @param values {@code [n, 4, height, width]}; belongs to the generation that made it and is changed by its steps alone
 */
public record Latents(float[] values, int n, int height, int width) {
    static final int CHANNELS = Sizes.LATENT_CHANNELS;

    public Latents {
        if (values.length != n * CHANNELS * height * width) {
            throw new IllegalArgumentException(
                    values.length + " values are not [" + n + "," + CHANNELS + "," + height + "," + width + "]");
        }
    }

    /** Latents of the same shape. */
    Latents with(float[] newValues) {
        return new Latents(newValues, n, height, width);
    }

    /** Values of one portrait. */
    int stride() {
        return CHANNELS * height * width;
    }
}
