package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** The schedulers on offer, each equal to the class of diffusers that it names. */
public enum SchedulerKind {
    DPMPP_2M("dpmpp_2m", "DPMSolverMultistepScheduler"),
    EULER("euler", "EulerDiscreteScheduler"),
    DDIM("ddim", "DDIMScheduler"),
    LCM("lcm", "LCMScheduler");

    private final String id;
    private final String diffusersClass;

    SchedulerKind(String id, String diffusersClass) {
        this.id = id;
        this.diffusersClass = diffusersClass;
    }

    /** The name in the public API. */
    public String id() {
        return id;
    }

    /** The class in {@code diffusers.schedulers}. */
    public String diffusersClass() {
        return diffusersClass;
    }

    /**
     * The scheduler of this id.
     *
     * @throws FailureException UNKNOWN_SCHEDULER
     */
    public static SchedulerKind parse(String id) {
        return Arrays.stream(values())
                .filter(kind -> kind.id.equals(id))
                .findFirst()
                .orElseThrow(() -> unknown(id));
    }

    private static FailureException unknown(String id) {
        String known = Arrays.stream(values()).map(SchedulerKind::id).collect(Collectors.joining(","));
        return FailureException.of(
                ErrorReason.UNKNOWN_SCHEDULER,
                "there is no scheduler \"" + id + "\"; known are " + known,
                Map.of("known", known));
    }
}
