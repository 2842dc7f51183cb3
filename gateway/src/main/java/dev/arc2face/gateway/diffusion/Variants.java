package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.triton.ServedModels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The variants that are served.
 *
 * @param served all of them, the one first that a request gets which names none
 */
public record Variants(List<Variant> served) {
    private static final String BASE = "base";
    private static final String FEW_STEPS = "lcm";

    public Variants {
        served = List.copyOf(served);
    }

    /**
     * The variants of these models.
     *
     * @throws FailureException MODEL_CONTRACT_VIOLATED where a model's settings are not supported
     */
    public static Variants of(ServedModels models) {
        List<Variant> served = new ArrayList<>();
        served.add(new Variant(BASE, models.unet(), models.unetGuided()));
        models.unetLcm().ifPresent(model -> served.add(new Variant(FEW_STEPS, model, Optional.empty())));
        return new Variants(served);
    }

    /** The variant of a request that names none. */
    public Variant base() {
        return served.get(0);
    }

    /**
     * The variant of this id.
     *
     * @throws FailureException UNKNOWN_VARIANT
     */
    public Variant parse(String id) {
        return served.stream()
                .filter(variant -> variant.id().equals(id))
                .findFirst()
                .orElseThrow(() -> unknown(id));
    }

    private FailureException unknown(String id) {
        List<String> ids = served.stream().map(Variant::id).toList();
        return FailureException.of(
                ErrorReason.UNKNOWN_VARIANT,
                "there is no variant \"" + id + "\" here; served are " + String.join(", ", ids),
                Map.of("served", String.join(",", ids)));
    }
}
