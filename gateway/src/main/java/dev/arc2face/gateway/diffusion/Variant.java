package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.Violation;
import java.util.Optional;

/** One of the UNets that draw portraits, and the recipe that it was made for. */
public final class Variant {
    private static final String DEFAULT_SCHEDULER = "default_scheduler";
    private static final String DEFAULT_STEPS = "default_steps";

    private final String id;
    private final Model model;
    private final Unet unet;
    private final SchedulerConfig schedulerConfig;
    private final int defaultSteps;
    private final float defaultGuidanceScale;
    private final Optional<SchedulerKind> defaultScheduler;

    /**
     * @param id the name in the public API
     * @param model one of the contract's UNets
     * @param guidedModel the same with guidance inside, where it is served
     * @throws FailureException MODEL_CONTRACT_VIOLATED where its settings are not supported
     */
    Variant(String id, Model model, Optional<Model> guidedModel) {
        this.id = id;
        this.model = model;
        this.unet = new Unet(model, guidedModel);
        this.schedulerConfig = SchedulerConfig.parse(model.name(), model.requireParameter("scheduler_config"));
        this.defaultSteps = Integer.parseInt(model.requireParameter(DEFAULT_STEPS));
        this.defaultGuidanceScale = Float.parseFloat(model.requireParameter("default_guidance"));
        this.defaultScheduler = model.parameter(DEFAULT_SCHEDULER).map(this::parseScheduler);
        for (SchedulerKind kind : SchedulerKind.values()) {
            schedule(kind, 1); // refuses what it does not support
        }
        defaultScheduler.ifPresent(scheduler -> {
            if (defaultSteps > mostSteps(scheduler)) {
                throw violation(
                        DEFAULT_STEPS,
                        "at most " + mostSteps(scheduler) + " with " + scheduler.id(),
                        "" + defaultSteps);
            }
        });
    }

    /** The name in the public API. */
    public String id() {
        return id;
    }

    /** The name in Triton. */
    public String model() {
        return model.name();
    }

    /** Whether a generation by this variant may ask that model: not those that draw for other variants only. */
    public boolean mayAsk(Model other, ServedModels models) {
        return !models.unets().contains(other) || unet.mayAsk(other);
    }

    /** Denoising steps of a request that does not say. */
    public int defaultSteps() {
        return defaultSteps;
    }

    /** Guidance scale of a request that does not say. */
    public float defaultGuidanceScale() {
        return defaultGuidanceScale;
    }

    /** Scheduler of a request that does not say; empty where any will do. */
    public Optional<SchedulerKind> defaultScheduler() {
        return defaultScheduler;
    }

    /** The most steps that a generation with this scheduler may have. */
    public int mostSteps(SchedulerKind scheduler) {
        return Schedule.mostSteps(scheduler, schedulerConfig);
    }

    Schedule schedule(SchedulerKind scheduler, int steps) {
        return Schedule.of(scheduler, schedulerConfig, steps);
    }

    Unet unet() {
        return unet;
    }

    private SchedulerKind parseScheduler(String text) {
        try {
            return SchedulerKind.parse(text);
        } catch (FailureException unknown) {
            throw violation(DEFAULT_SCHEDULER, "one of " + unknown.metadata().get("known"), text);
        }
    }

    private FailureException violation(String parameter, String expected, String actual) {
        return new Violation(model.name(), "parameters." + parameter, expected, actual).toFailure();
    }
}
