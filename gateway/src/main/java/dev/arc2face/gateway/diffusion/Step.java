package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.PredictionType.Weights;
import java.util.function.Supplier;

/**
 * One denoising step. Each of the schedulers is linear, but for the clipping, in the latents x, the UNet's prediction
 * p, the picture x0 that they amount to, the x0 of the step before, and fresh noise z:
 *
 * <pre>
 *   x0   = clip(denoised.latents x + denoised.prediction p)
 *   next = fromLatents x + fromPrediction p + fromDenoised x0 + fromPreviousDenoised x0' + fromNoise z
 * </pre>
 *
 * @param timestep what the UNet is told
 * @param inputScale what the latents are multiplied by before the UNet sees them
 * @param denoised weights of x0
 * @param clip largest magnitude of x0; infinite for none
 */
record Step(
        float timestep,
        double inputScale,
        Weights denoised,
        double clip,
        double fromLatents,
        double fromPrediction,
        double fromDenoised,
        double fromPreviousDenoised,
        double fromNoise) {

    /**
     * Where a trajectory is.
     *
     * @param latents x
     * @param denoised the picture x0 that the step before predicted; zero before the first
     */
    record State(Latents latents, Latents denoised) {
        static State initial(Latents latents) {
            return new State(latents, latents.with(new float[latents.values().length]));
        }
    }

    /** The latents as the UNet sees them. */
    Latents scaleInput(Latents latents) {
        return inputScale == 1 ? latents : scaled(latents, inputScale);
    }

    /**
     * The state after this step.
     *
     * @param noise gives z; asked only by a step that adds noise
     */
    State advance(State state, Latents prediction, Supplier<Latents> noise) {
        float[] x = state.latents().values();
        float[] p = prediction.values();
        float[] x0 = sum(denoised.latents(), x, denoised.prediction(), p);
        if (clip < Double.POSITIVE_INFINITY) {
            clamp(x0, (float) clip);
        }
        float[] next = sum(fromLatents, x, fromDenoised, x0);
        if (fromPrediction != 0) {
            next = sum(1, next, fromPrediction, p);
        }
        if (fromPreviousDenoised != 0) {
            next = sum(1, next, fromPreviousDenoised, state.denoised().values());
        }
        if (fromNoise != 0) {
            next = sum(1, next, fromNoise, noise.get().values());
        }
        return new State(prediction.with(next), prediction.with(x0));
    }

    /** {@code a x + b y}: loops as simple as this one are vectorised. */
    private static float[] sum(double a, float[] x, double b, float[] y) {
        float weightX = (float) a;
        float weightY = (float) b;
        float[] sum = new float[x.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = weightX * x[i] + weightY * y[i];
        }
        return sum;
    }

    private static void clamp(float[] values, float limit) {
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.max(-limit, Math.min(limit, values[i]));
        }
    }

    static Latents scaled(Latents latents, double factor) {
        float weight = (float) factor;
        float[] values = latents.values().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] *= weight;
        }
        return latents.with(values);
    }
}
