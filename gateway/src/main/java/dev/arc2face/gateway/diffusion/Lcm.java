package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.NoiseSchedule.Betas;
import java.util.ArrayList;
import java.util.List;

/**
 * Multistep sampling of a latent consistency model (arXiv 2310.04378, algorithm 3), as diffusers' {@code LCMScheduler}:
 * every step goes all the way to a picture, {@code f = c_skip x + c_out x0}, and every step but the last adds noise
 * again, {@code next = sqrt(alpha-bar_next) f + sqrt(1 - alpha-bar_next) z}.
 */
final class Lcm {
    private static final double SIGMA_DATA = 0.5;

    private Lcm() {}

    static Schedule schedule(SchedulerConfig config, int steps) {
        config.require("thresholding", false);

        NoiseSchedule noise = NoiseSchedule.of(config, Betas.SCALED_LINEAR, 0.00085, 0.012);
        int[] timesteps = timesteps(config, noise.timesteps(), steps);
        List<Step> list = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            float alphaBarNext = i + 1 < steps ? noise.alphasCumprod()[timesteps[i + 1]] : 1;
            list.add(step(config, noise, timesteps[i], alphaBarNext));
        }
        return new Schedule(1, list);
    }

    /** As many steps as the model was distilled for. */
    static int mostSteps(SchedulerConfig config) {
        return config.integer("original_inference_steps", 50);
    }

    private static Step step(SchedulerConfig config, NoiseSchedule noise, int timestep, float alphaBarNext) {
        PredictionType type = config.choice("prediction_type", PredictionType.EPSILON);
        double scaled = timestep * config.number("timestep_scaling", 10);
        double toBoundary = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
        double cSkip = SIGMA_DATA * SIGMA_DATA / toBoundary;
        double cOut = scaled / Math.sqrt(toBoundary);
        double alphaNext = Math.sqrt(alphaBarNext);
        return new Step(
                timestep,
                1,
                noise.denoised(timestep, type, config),
                config.clip(false),
                alphaNext * cSkip,
                0,
                alphaNext * cOut,
                0,
                Math.sqrt(1 - alphaBarNext));
    }

    /** Of the timesteps that the model was distilled for, from the noisiest, {@code steps} evenly spread ones. */
    private static int[] timesteps(SchedulerConfig config, int all, int steps) {
        int original = mostSteps(config);
        if (original < 1 || original > all) {
            throw config.violation("original_inference_steps", "is not one of 1 to num_train_timesteps");
        }
        if (steps > original) {
            throw new IllegalArgumentException(steps + " steps of at most " + original);
        }
        int stride = all / original;
        int[] timesteps = new int[steps];
        for (int i = 0; i < steps; i++) {
            int passed = (int) (i * ((double) original / steps)); // as numpy.linspace rounds it
            timesteps[i] = (original - passed) * stride - 1;
        }
        return timesteps;
    }
}
