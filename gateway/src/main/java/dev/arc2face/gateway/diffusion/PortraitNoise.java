package dev.arc2face.gateway.diffusion;

import java.util.Arrays;

/**
 * The noise of several portraits, draw after draw: each portrait's from a generator of its own, so that it does not
 * depend on its neighbours. One owner, one thread.
 */
final class PortraitNoise {
    private final Noise[] generators;
    private final int height;
    private final int width;

    /** @param seeds a uint32 for each portrait */
    PortraitNoise(int[] seeds, int height, int width) {
        this.generators = Arrays.stream(seeds).mapToObj(Noise::new).toArray(Noise[]::new);
        this.height = height;
        this.width = width;
    }

    /** The next noise, {@code [N, 4, h, w]}: what {@code torch.randn([1, 4, h, w])} draws for each portrait. */
    Latents draw() {
        int stride = Latents.CHANNELS * height * width;
        float[] values = new float[generators.length * stride];
        for (int i = 0; i < generators.length; i++) {
            System.arraycopy(generators[i].draw(stride), 0, values, i * stride, stride);
        }
        return new Latents(values, generators.length, height, width);
    }
}
