package dev.arc2face.gateway.triton;

import static java.util.stream.Collectors.joining;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.List;
import java.util.Map;

/**
 * One way in which a served model breaks the contract.
 *
 * @param model the model's name
 * @param tensor the tensor's name, or the field of the configuration, such as {@code parameters.default_steps}
 * @param expected what the contract says
 * @param actual what is served
 */
public record Violation(String model, String tensor, String expected, String actual) {
    /** MODEL_CONTRACT_VIOLATED, with all of this. */
    public FailureException toFailure() {
        return toFailure(List.of(this));
    }

    /** One failure for all violations: the message lists them, the metadata tells the first. */
    static FailureException toFailure(List<Violation> violations) {
        Violation first = violations.get(0);
        return FailureException.of(
                ErrorReason.MODEL_CONTRACT_VIOLATED,
                violations.stream().map(Violation::toString).collect(joining("; ")),
                Map.of(
                        "model", first.model,
                        "tensor", first.tensor,
                        "expected", first.expected,
                        "actual", first.actual));
    }

    @Override
    public String toString() {
        return "model '" + model + "', '" + tensor + "': expected " + expected + ", found " + actual;
    }
}
