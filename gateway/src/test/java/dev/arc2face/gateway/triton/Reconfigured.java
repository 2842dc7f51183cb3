package dev.arc2face.gateway.triton;

import java.util.HashMap;
import java.util.Map;

/** Models as they would be if their configuration said something else. They cannot be called. */
public final class Reconfigured {
    private Reconfigured() {}

    /** The model with one parameter changed. */
    public static Model with(Model model, String parameter, String value) {
        Signature signature = model.signature();
        Map<String, String> parameters = new HashMap<>(signature.parameters());
        parameters.put(parameter, value);
        return new Model(
                new Signature(
                        signature.name(),
                        signature.version(),
                        signature.maxBatchSize(),
                        signature.inputs(),
                        signature.outputs(),
                        parameters),
                null);
    }
}
