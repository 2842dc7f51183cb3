package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.NoiseSchedule.Betas;
import dev.arc2face.gateway.diffusion.PredictionType.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * DPM-Solver++ 2M (arXiv 2211.01095, algorithm 2), as diffusers' {@code DPMSolverMultistepScheduler}: a second-order
 * multistep solver in {@code lambda = log(alpha / sigma)}, the midpoint kind, its first and last steps of first order.
 */
final class DpmSolverPlusPlus {
    private static final int FEW_STEPS = 15;

    private DpmSolverPlusPlus() {}

    static Schedule schedule(SchedulerConfig config, int steps) {
        config.require("algorithm_type", "dpmsolver++", "deis");
        config.require("solver_order", 1, 2);
        config.require("solver_type", "midpoint", "logrho", "bh1", "bh2");
        config.require("thresholding", false);
        config.require("use_exponential_sigmas", false);
        config.require("use_beta_sigmas", false);
        config.require("use_lu_lambdas", false);
        config.require("use_flow_sigmas", false);
        config.refuse("variance_type");

        NoiseSchedule noise = NoiseSchedule.of(config).neverPureNoise(config);
        NoiseLevels levels = levels(config, noise, steps);
        PredictionType type = config.choice("prediction_type", PredictionType.EPSILON);
        List<Step> list = new ArrayList<>();
        for (int i = 0; i < levels.steps(); i++) {
            list.add(step(levels, i, isSecondOrder(config, levels, i), type));
        }
        return new Schedule(1, list);
    }

    private static Step step(NoiseLevels levels, int i, boolean secondOrder, PredictionType type) {
        double sigmaS = levels.sigmas()[i];
        double sigmaT = levels.sigmas()[i + 1];
        double alphaS = NoiseLevels.alpha(sigmaS);
        double alphaT = NoiseLevels.alpha(sigmaT);
        double ratio = sigmaT / sigmaS; // exp(-h), for h = lambda_t - lambda_s and exp(-lambda) = sigma
        Weights denoised = type.denoised(alphaS, alphaS * sigmaS);
        double towardsD = alphaT * (1 - ratio); // alpha_t (1 - exp(-h))
        double extrapolation = secondOrder ? 1 / (2 * r(levels.sigmas(), i)) : 0;
        return new Step(
                (float) levels.timesteps()[i],
                1,
                denoised,
                Double.POSITIVE_INFINITY,
                ratio * alphaT / alphaS, // sigma_t / sigma_s in the paper's scale
                0,
                towardsD * (1 + extrapolation), // D = (1 + 1/2r) x0 - 1/2r x0'
                -towardsD * extrapolation,
                0);
    }

    /** r_i = h_{i-1} / h_i. */
    private static double r(float[] sigmas, int i) {
        double before = StrictMath.log(sigmas[i - 1]);
        double now = StrictMath.log(sigmas[i]);
        double after = StrictMath.log(sigmas[i + 1]);
        return (before - now) / (now - after);
    }

    private static boolean isSecondOrder(SchedulerConfig config, NoiseLevels levels, int i) {
        boolean isLast = i == levels.steps() - 1;
        boolean lastIsFirstOrder = levels.endsClean()
                || config.flag("euler_at_final", false)
                || (config.flag("lower_order_final", true) && levels.steps() < FEW_STEPS);
        return config.integer("solver_order", 2) == 2 && i > 0 && !(isLast && lastIsFirstOrder);
    }

    private static NoiseLevels levels(SchedulerConfig config, NoiseSchedule noise, int steps) {
        if (config.flag("use_karras_sigmas", false)) {
            int last = noise.timesteps() - 1;
            NoiseLevels levels = NoiseLevels.karras(noise.sigma(last), noise.sigma(0), steps, noise, config);
            boolean rounded = config.choice("beta_schedule", Betas.LINEAR) != Betas.SQUAREDCOS_CAP_V2;
            return new NoiseLevels(
                    Arrays.stream(levels.timesteps())
                            .map(t -> rounded ? Math.rint(t) : Math.floor(t))
                            .toArray(),
                    levels.sigmas());
        }
        int all = noise.timesteps();
        int last = lastTimestep(config, noise);
        double[] timesteps = switch (config.choice("timestep_spacing", TimestepSpacing.LINSPACE)) {
            case LINSPACE ->
                Arrays.stream(TimestepSpacing.linspace(last, steps + 1))
                        .map(Math::rint)
                        .limit(steps)
                        .toArray();
            case LEADING -> {
                int stride = (last + 1) / (steps + 1);
                yield TimestepSpacing.leading(stride, steps, stride + config.stepsOffset());
            }
            case TRAILING -> TimestepSpacing.trailing(last, all, steps);
        };
        return NoiseLevels.at(timesteps, noise, config);
    }

    /** The noisiest timestep whose lambda is at least {@code lambda_min_clipped}. */
    private static int lastTimestep(SchedulerConfig config, NoiseSchedule noise) {
        double lowest = config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY);
        int last = noise.timesteps() - 1;
        while (last > 0 && -StrictMath.log(noise.sigma(last)) < lowest) {
            last--;
        }
        return last;
    }
}
