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
     * Where a trajectory is. One owner, one thread: a step changes it.
     *
     * @param latents x
     * @param denoised the picture x0 that the step before predicted; zero before the first
     */
    record State(Latents latents, Latents denoised) {
        static State initial(Latents latents) {
            return new State(latents, latents.with(new float[latents.values().length]));
        }
    }

    /**
     * Takes the state to what it is after this step; allocates nothing.
     *
     * @param prediction p
     * @param noise gives z; asked only by a step that adds noise
     */
    void advance(State state, Latents prediction, Supplier<Latents> noise) {
        float[] x = state.latents().values();
        float[] x0 = state.denoised().values();
        float[] p = prediction.values();
        float[] z = fromNoise == 0 ? x : noise.get().values();
        float x0FromX = (float) denoised.latents();
        float x0FromP = (float) denoised.prediction();
        float limit = (float) clip;
        float fromX = (float) fromLatents;
        float fromX0 = (float) fromDenoised;
        float fromP = (float) fromPrediction;
        float fromX0Before = (float) fromPreviousDenoised;
        float fromZ = (float) fromNoise;
        // A weight of zero adds nothing: no term is left out, so that the loop has no branch.
        for (int i = 0; i < x.length; i++) {
            float picture = Math.max(-limit, Math.min(limit, x0FromX * x[i] + x0FromP * p[i]));
            float next = fromX * x[i] + fromX0 * picture + fromP * p[i] + fromX0Before * x0[i] + fromZ * z[i];
            x0[i] = picture;
            x[i] = next;
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
