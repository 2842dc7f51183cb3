package dev.arc2face.gateway.diffusion;

import java.util.Arrays;

/**
 * The noise levels that a solver in sigma space goes through.
 *
 * @param timesteps {@code [n]}
 * @param sigmas {@code [n + 1]}, descending, the last one where the trajectory ends; FP32 as in the reference
 */
record NoiseLevels(double[] timesteps, float[] sigmas) {
    private static final double RHO = 7;

    private enum Final {
        ZERO,
        SIGMA_MIN
    }

    /** The levels of the noise schedule at these timesteps, ending as the settings say. */
    static NoiseLevels at(double[] timesteps, NoiseSchedule noise, SchedulerConfig config) {
        return ending(timesteps, Arrays.stream(timesteps).map(noise::sigma).toArray(), noise, config);
    }

    /**
     * {@code count} levels evenly spread over {@code sigma^(1/7)}: arXiv 2206.00364, equation 5.
     *
     * @param highest level to start from where the settings name none
     * @param lowest level before the end where the settings name none
     */
    static NoiseLevels karras(double highest, double lowest, int count, NoiseSchedule noise, SchedulerConfig config) {
        double max = StrictMath.pow(config.number("sigma_max", highest), 1 / RHO);
        double min = StrictMath.pow(config.number("sigma_min", lowest), 1 / RHO);
        double[] sigmas = new double[count];
        for (int i = 0; i < count; i++) {
            sigmas[i] = StrictMath.pow(max + i / Math.max(count - 1.0, 1) * (min - max), RHO);
        }
        return ending(Arrays.stream(sigmas).map(noise::timestep).toArray(), sigmas, noise, config);
    }

    private static NoiseLevels ending(
            double[] timesteps, double[] sigmas, NoiseSchedule noise, SchedulerConfig config) {
        float[] levels = new float[sigmas.length + 1];
        for (int i = 0; i < sigmas.length; i++) {
            levels[i] = (float) sigmas[i];
        }
        levels[sigmas.length] = switch (config.choice("final_sigmas_type", Final.ZERO)) {
            case ZERO -> 0;
            case SIGMA_MIN -> noise.sigma(0);
        };
        return new NoiseLevels(timesteps, levels);
    }

    /** alpha of a picture {@code alpha (x0 + sigma epsilon)} of unit variance. */
    static double alpha(double sigma) {
        return 1 / Math.sqrt(sigma * sigma + 1);
    }

    int steps() {
        return timesteps.length;
    }

    boolean endsClean() {
        return sigmas[steps()] == 0;
    }
}
