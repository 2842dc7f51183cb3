package dev.arc2face.gateway.triton;

import java.util.Map;
import java.util.Random;

/** Inputs of the UNet that differ from row to row and are the same every time. */
final class UnetInputs {
    private UnetInputs() {}

    /** One row for each timestep; its latents and context depend on the timestep alone. */
    static Map<String, Tensor> of(Sizes sizes, float... timesteps) {
        int rows = timesteps.length;
        int contextLength = sizes.contextTokens() * sizes.contextChannels();
        float[] latents = new float[rows * sizes.latentLength()];
        float[] context = new float[rows * contextLength];
        for (int row = 0; row < rows; row++) {
            Random random = new Random(Float.floatToIntBits(timesteps[row]));
            fill(random, latents, row, sizes.latentLength());
            fill(random, context, row, contextLength);
        }
        return Map.of(
                "latents",
                Tensor.ofFloats(DataType.FP32, new int[] {rows, 4, sizes.latentHeight(), sizes.latentWidth()}, latents),
                "timestep",
                Tensor.ofFloats(DataType.FP32, new int[] {rows, 1}, timesteps),
                "context",
                Tensor.ofFloats(
                        DataType.FP32, new int[] {rows, sizes.contextTokens(), sizes.contextChannels()}, context));
    }

    private static void fill(Random random, float[] values, int row, int length) {
        for (int i = row * length; i < (row + 1) * length; i++) {
            values[i] = (float) random.nextGaussian();
        }
    }
}
