package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.Step.State;
import java.util.List;

/**
 * The steps from noise to a picture: pure functions of a state, a prediction and, where they add noise, that noise;
 * equal to those of the scheduler's namesake in diffusers made by {@code from_config}.
 *
 * @param initialNoiseSigma standard deviation of the latents to start from
 * @param steps in order; as many as asked for, or fewer where the settings cut the schedule short
 */
record Schedule(double initialNoiseSigma, List<Step> steps) {
    Schedule {
        steps = List.copyOf(steps);
    }

    /**
     * The schedule of this many steps.
     *
     * @throws dev.arc2face.gateway.FailureException MODEL_CONTRACT_VIOLATED where the settings ask for what is not
     *     supported
     */
    static Schedule of(SchedulerKind kind, SchedulerConfig config, int steps) {
        return switch (kind) {
            case DPMPP_2M -> DpmSolverPlusPlus.schedule(config, steps);
            case EULER -> Euler.schedule(config, steps);
            case DDIM -> Ddim.schedule(config, steps);
            case LCM -> Lcm.schedule(config, steps);
        };
    }

    /** The most steps that a schedule may be asked to have. */
    static int mostSteps(SchedulerKind kind, SchedulerConfig config) {
        return switch (kind) {
            case DPMPP_2M, EULER, DDIM -> Integer.MAX_VALUE;
            case LCM -> Lcm.mostSteps(config);
        };
    }

    /** The state before the first step. */
    State start(Latents noise) {
        return State.initial(initialNoiseSigma == 1 ? noise : Step.scaled(noise, initialNoiseSigma));
    }
}
