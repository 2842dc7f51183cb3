package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.OperationBenchmark;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;

/** One operation: convert the latents of one portrait, 4x64x64 normal values, between memory and wire. */
public class Float16Benchmark extends OperationBenchmark {
    private static final int[] SHAPE = {1, Sizes.LATENT_CHANNELS, 64, 64};

    private final float[] values = normal(Sizes.LATENT_CHANNELS * 64 * 64);
    private final Tensor halves = Tensor.ofFloats(DataType.FP16, SHAPE, values);
    private final float[] into = new float[values.length];

    private static float[] normal(int count) {
        Random random = new Random(1);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** FP32 in memory to FP16 on the wire, the new tensor included. */
    @Benchmark
    public Tensor toHalves() {
        return Tensor.ofFloats(DataType.FP16, SHAPE, values);
    }

    /** FP16 on the wire to FP32 in memory that is there already. */
    @Benchmark
    public float[] fromHalves() {
        halves.readFloats(into, 0);
        return into;
    }
}
