package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.PredictionType.Weights;
import java.util.ArrayList;
import java.util.List;

/**
 * DDIM (arXiv 2010.02502, equation 12 with sigma_t = 0), as diffusers' {@code DDIMScheduler} with {@code eta = 0}:
 * {@code next = sqrt(alpha-bar_prev) x0 + sqrt(1 - alpha-bar_prev) epsilon}.
 */
final class Ddim {
    private Ddim() {}

    static Schedule schedule(SchedulerConfig config, int steps) {
        config.require("thresholding", false);

        NoiseSchedule noise = NoiseSchedule.of(config);
        PredictionType type = config.choice("prediction_type", PredictionType.EPSILON);
        int stride = noise.timesteps() / steps;
        List<Step> list = new ArrayList<>();
        for (double timestep : timesteps(config, noise.timesteps(), steps)) {
            list.add(step(config, noise, type, (int) timestep, (int) timestep - stride));
        }
        return new Schedule(1, list);
    }

    private static Step step(
            SchedulerConfig config, NoiseSchedule noise, PredictionType type, int timestep, int previous) {
        float alphaBar = noise.alphasCumprod()[timestep];
        float alphaBarPrevious = previous >= 0
                ? noise.alphasCumprod()[previous]
                : config.flag("set_alpha_to_one", true) ? 1 : noise.alphasCumprod()[0];
        double sigmaPrevious = Math.sqrt(1 - alphaBarPrevious);
        Weights epsilon = type.noise(
                Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)); // from the prediction as it is: x0 alone is clipped
        return new Step(
                timestep,
                1,
                noise.denoised(timestep, type, config),
                config.clip(true),
                sigmaPrevious * epsilon.latents(),
                sigmaPrevious * epsilon.prediction(),
                Math.sqrt(alphaBarPrevious),
                0,
                0);
    }

    private static double[] timesteps(SchedulerConfig config, int all, int steps) {
        double[] timesteps = switch (config.choice("timestep_spacing", TimestepSpacing.LEADING)) {
            case LINSPACE -> TimestepSpacing.linspace(all - 1, steps);
            case LEADING -> TimestepSpacing.leading(all / steps, steps, config.stepsOffset());
            case TRAILING -> TimestepSpacing.trailing(all - 1, all, steps);
        };
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = Math.rint(timesteps[i]);
        }
        if (timesteps[0] >= all) {
            throw config.violation("steps_offset", "leads beyond the last timestep");
        }
        return timesteps;
    }
}
