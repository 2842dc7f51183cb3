package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.triton.Sizes;

/**
 * Latents of several portraits, in FP32.
 *
 * @param values {@code [n, 4, height, width]}; owned by this record, never changed
 */
public record Latents(float[] values, int n, int height, int width) {
    static final int CHANNELS = Sizes.LATENT_CHANNELS;

    public Latents {
        if (values.length != n * CHANNELS * height * width) {
            throw new IllegalArgumentException(
                    values.length + " values are not [" + n + "," + CHANNELS + "," + height + "," + width + "]");
        }
    }

    /** Starting latents: each portrait's from a generator of its own, so that it does not depend on its neighbours. */
    static Latents noise(int[] seeds, int height, int width) {
        int stride = CHANNELS * height * width;
        float[] values = new float[seeds.length * stride];
        for (int i = 0; i < seeds.length; i++) {
            System.arraycopy(new Noise(seeds[i]).draw(stride), 0, values, i * stride, stride);
        }
        return new Latents(values, seeds.length, height, width);
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
