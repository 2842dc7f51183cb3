package dev.arc2face.gateway.diffusion;

import java.util.OptionalDouble;

/**
 * Standard normal noise: what {@code torch.randn} draws in FP32 from a CPU generator of this seed, call after call,
 * within 1e-5 (PyTorch's own vectorised logarithm, sine and cosine differ by that between machines; these here are the
 * same bits everywhere). One owner, one thread. Source: PyTorch, {@code aten/src/ATen/native/cpu/DistributionTemplates.h}.
 */
public final class Noise {
    private static final int BLOCK = 16;
    private static final float TWO_PI = (float) (2 * Math.PI);
    private static final float TWO_TO_MINUS_24 = 0x1p-24f;
    private static final double TWO_TO_MINUS_53 = 0x1p-53;

    private final MersenneTwister bits;
    private OptionalDouble spare = OptionalDouble.empty();

    /** @param seed a uint32 */
    public Noise(int seed) {
        this.bits = new MersenneTwister(seed);
    }

    /** The next {@code count} values, as one call of {@code torch.randn} would draw them. */
    public float[] draw(int count) {
        return count < BLOCK ? drawSingly(count) : drawBlocks(count);
    }

    /** All uniforms first, then Box-Muller in blocks of 16; a rest shorter than a block draws a last block anew. */
    private float[] drawBlocks(int count) {
        float[] values = new float[count];
        fillUniform(values, 0);
        for (int start = 0; start + BLOCK <= count; start += BLOCK) {
            boxMuller(values, start);
        }
        if (count % BLOCK != 0) {
            fillUniform(values, count - BLOCK);
            boxMuller(values, count - BLOCK);
        }
        return values;
    }

    /** Uniform in [0, 1) from 24 bits each, from this index to the end. */
    private void fillUniform(float[] values, int start) {
        for (int i = start; i < values.length; i++) {
            values[i] = (bits.nextInt() & 0xffffff) * TWO_TO_MINUS_24;
        }
    }

    /** Turns 16 uniforms into 16 normals: value j is paired with value j + 8. */
    private static void boxMuller(float[] values, int start) {
        for (int j = start; j < start + BLOCK / 2; j++) {
            float u1 = 1 - values[j]; // (0, 1]
            float radius = (float) Math.sqrt(-2 * (float) StrictMath.log(u1));
            float theta = TWO_PI * values[j + BLOCK / 2];
            values[j] = radius * (float) StrictMath.cos(theta);
            values[j + BLOCK / 2] = radius * (float) StrictMath.sin(theta);
        }
    }

    /** Fewer values than a block are drawn one by one in double precision; every second one is kept for the next. */
    private float[] drawSingly(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            if (spare.isPresent()) {
                values[i] = (float) spare.getAsDouble();
                spare = OptionalDouble.empty();
            } else {
                double theta = 2 * Math.PI * nextDouble();
                double radius = Math.sqrt(-2 * StrictMath.log1p(-nextDouble()));
                values[i] = (float) (radius * StrictMath.cos(theta));
                spare = OptionalDouble.of(radius * StrictMath.sin(theta));
            }
        }
        return values;
    }

    private double nextDouble() {
        long high = bits.nextInt();
        long low = bits.nextInt() & 0xffffffffL;
        return ((high << 32 | low) & ((1L << 53) - 1)) * TWO_TO_MINUS_53;
    }
}
