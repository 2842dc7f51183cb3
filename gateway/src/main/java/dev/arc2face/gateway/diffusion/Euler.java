package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.PredictionType.Weights;
import java.util.ArrayList;
import java.util.List;

/**
 * Euler's method on the probability flow ODE {@code dx/dsigma = (x - x0) / sigma} (arXiv 2206.00364, algorithm 1 with
 * no churn), as diffusers' {@code EulerDiscreteScheduler}. Its latents are {@code x0 + sigma epsilon}.
 */
final class Euler {
    private Euler() {}

    static Schedule schedule(SchedulerConfig config, int steps) {
        config.require("interpolation_type", "linear");
        config.require("timestep_type", "discrete");
        config.require("use_exponential_sigmas", false);
        config.require("use_beta_sigmas", false);

        NoiseSchedule noise = NoiseSchedule.of(config).neverPureNoise(config);
        TimestepSpacing spacing = config.choice("timestep_spacing", TimestepSpacing.LINSPACE);
        NoiseLevels levels = levels(config, noise, spacing, steps);
        PredictionType type = config.choice("prediction_type", PredictionType.EPSILON);
        List<Step> list = new ArrayList<>();
        for (int i = 0; i < levels.steps(); i++) {
            list.add(step(levels, i, type));
        }
        double highest = levels.sigmas()[0];
        double initial = spacing == TimestepSpacing.LEADING ? Math.sqrt(highest * highest + 1) : highest;
        return new Schedule(initial, list);
    }

    private static Step step(NoiseLevels levels, int i, PredictionType type) {
        double sigma = levels.sigmas()[i];
        double next = levels.sigmas()[i + 1];
        double alpha = NoiseLevels.alpha(sigma); // alpha x has unit variance
        Weights unit = type.denoised(alpha, alpha * sigma);
        return new Step(
                (float) levels.timesteps()[i],
                alpha,
                new Weights(unit.latents() * alpha, unit.prediction()),
                Double.POSITIVE_INFINITY,
                next / sigma, // x + (next - sigma) (x - x0) / sigma
                0,
                1 - next / sigma,
                0,
                0);
    }

    private static NoiseLevels levels(SchedulerConfig config, NoiseSchedule noise, TimestepSpacing spacing, int steps) {
        int all = noise.timesteps();
        double[] timesteps = switch (spacing) {
            case LINSPACE -> TimestepSpacing.linspace(all - 1, steps);
            case LEADING -> TimestepSpacing.leading(all / steps, steps, config.stepsOffset());
            case TRAILING -> TimestepSpacing.trailing(all - 1, all, steps);
        };
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = (float) timesteps[i];
        }
        if (config.flag("use_karras_sigmas", false)) {
            double highest = noise.sigma(timesteps[0]);
            double lowest = noise.sigma(timesteps[timesteps.length - 1]);
            return NoiseLevels.karras(highest, lowest, steps, noise, config);
        }
        return NoiseLevels.at(timesteps, noise, config);
    }
}
