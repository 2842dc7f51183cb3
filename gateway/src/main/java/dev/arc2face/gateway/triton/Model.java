package dev.arc2face.gateway.triton;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.inference.ModelInferRequest;
import dev.arc2face.inference.ModelInferRequest.InferInputTensor;
import dev.arc2face.inference.ModelInferRequest.InferRequestedOutputTensor;
import dev.arc2face.inference.ModelInferResponse;
import dev.arc2face.inference.ModelInferResponse.InferOutputTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoublePredicate;

/**
 * A model that Triton serves. Every call is one stateless batch; Triton may run it together with other callers'
 * batches. Safe to use from any number of threads.
 */
public final class Model {
    private final Signature signature;
    private final Replicas replicas;

    Model(Signature signature, Replicas replicas) {
        this.signature = signature;
        this.replicas = replicas;
    }

    Signature signature() {
        return signature;
    }

    public String name() {
        return signature.name();
    }

    /** The version that all calls ask for. */
    public String version() {
        return signature.version();
    }

    /** The most rows that one call may have. */
    public int maxBatchSize() {
        return signature.maxBatchSize();
    }

    /** Whether it takes an input of this name. */
    public boolean hasInput(String name) {
        return signature.inputs().stream().anyMatch(spec -> spec.name().equals(name));
    }

    /** What the metadata says about an input of the contract. */
    public TensorSpec input(String name) {
        return find(signature.inputs(), name);
    }

    /** What the metadata says about an output of the contract. */
    public TensorSpec output(String name) {
        return find(signature.outputs(), name);
    }

    /** A parameter of the model's configuration. */
    public Optional<String> parameter(String key) {
        return Optional.ofNullable(signature.parameters().get(key));
    }

    /** A parameter of the model's configuration; MODEL_CONTRACT_VIOLATED where it is absent. */
    public String requireParameter(String key) {
        return parameter(key).orElseThrow(() -> violated("parameters." + key, "a value", "none"));
    }

    /**
     * The number that a model's parameter is; MODEL_CONTRACT_VIOLATED where it is none.
     *
     * @param holds whether the contract allows it, never NaN
     * @param expected the same in words
     */
    public static double number(String model, String key, String text, DoublePredicate holds, String expected) {
        double number = Contract.number(text);
        if (!holds.test(number)) {
            throw new Violation(model, "parameters." + key, expected, text).toFailure();
        }
        return number;
    }

    /**
     * Runs the model once and waits for it. The deadline and the cancellation of the current {@link io.grpc.Context}
     * apply.
     *
     * @param inputs all inputs by name, each {@code [B, ...]} with the same B, 1 to {@link #maxBatchSize()}
     * @return all outputs by name, each {@code [B, ...]}
     * @throws FailureException CANCELLED or DEADLINE_EXCEEDED as the context says; MODEL_SERVER_UNAVAILABLE where
     *     Triton is away, not ready, broke the call off or took longer than the configuration allows;
     *     MODEL_CONTRACT_VIOLATED where the answer is not what the metadata says; INTERNAL where the model failed
     * @throws IllegalArgumentException where the inputs are not what the metadata says: a programming error
     */
    public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
        int rows = checkInputs(inputs);
        if (!WholeBatches.areOn() || rows == maxBatchSize()) {
            return infer(inputs, rows);
        }
        Map<String, Tensor> outputs = infer(resized(inputs, maxBatchSize()), maxBatchSize());
        replicas.padded(name(), maxBatchSize() - rows);
        return resized(outputs, rows);
    }

    private static Map<String, Tensor> resized(Map<String, Tensor> tensors, int rows) {
        Map<String, Tensor> resized = new HashMap<>();
        tensors.forEach((name, tensor) -> resized.put(name, tensor.withRows(rows)));
        return Map.copyOf(resized);
    }

    private Map<String, Tensor> infer(Map<String, Tensor> inputs, int rows) {
        ModelInferRequest.Builder request =
                ModelInferRequest.newBuilder().setModelName(name()).setModelVersion(version());
        for (TensorSpec spec : signature.inputs()) {
            Tensor tensor = requireNonNull(inputs.get(spec.name())); // checked above
            InferInputTensor.Builder input = request.addInputsBuilder()
                    .setName(spec.name())
                    .setDatatype(spec.type().name());
            for (int size : tensor.shape()) {
                input.addShape(size);
            }
            request.addRawInputContents(tensor.raw());
        }
        for (TensorSpec spec : signature.outputs()) {
            request.addOutputs(InferRequestedOutputTensor.newBuilder().setName(spec.name()));
        }
        return readOutputs(replicas.infer(request.build(), rows, maxBatchSize()), rows);
    }

    private int checkInputs(Map<String, Tensor> inputs) {
        if (inputs.size() != signature.inputs().size()) {
            throw new IllegalArgumentException(name() + " takes " + signature.inputs() + ", not " + inputs.keySet());
        }
        int rows = inputs.values().iterator().next().rows();
        if (rows > maxBatchSize()) {
            throw new IllegalArgumentException(name() + " takes at most " + maxBatchSize() + " rows, not " + rows);
        }
        for (TensorSpec spec : signature.inputs()) {
            Tensor tensor = inputs.get(spec.name());
            if (tensor == null) {
                throw new IllegalArgumentException(name() + " needs " + spec);
            }
            if (tensor.type() != spec.type() || !Arrays.equals(tensor.shape(), spec.batchShape(rows))) {
                throw new IllegalArgumentException(name() + " takes " + rows + " rows of " + spec + ", not "
                        + tensor.type() + " " + Arrays.toString(tensor.shape()));
            }
        }
        return rows;
    }

    private Map<String, Tensor> readOutputs(ModelInferResponse response, int rows) {
        if (response.getRawOutputContentsCount() != response.getOutputsCount()) {
            throw violated(
                    "raw_output_contents",
                    response.getOutputsCount() + " entries",
                    response.getRawOutputContentsCount() + " entries");
        }
        Map<String, Tensor> outputs = new HashMap<>();
        for (int i = 0; i < response.getOutputsCount(); i++) {
            InferOutputTensor output = response.getOutputs(i);
            outputs.put(output.getName(), readOutput(output, response.getRawOutputContents(i), rows));
        }
        for (TensorSpec spec : signature.outputs()) {
            if (!outputs.containsKey(spec.name())) {
                throw violated(spec.name(), spec.toString(), "no such output");
            }
        }
        return Map.copyOf(outputs);
    }

    private Tensor readOutput(InferOutputTensor output, ByteString raw, int rows) {
        TensorSpec spec = signature.outputs().stream()
                .filter(candidate -> candidate.name().equals(output.getName()))
                .findFirst()
                .orElseThrow(() -> violated(output.getName(), "not to be there", "an output"));
        int[] shape = spec.batchShape(rows);
        List<Long> expected = new ArrayList<>();
        for (int size : shape) {
            expected.add((long) size);
        }
        if (!output.getDatatype().equals(spec.type().name())
                || !output.getShapeList().equals(expected)) {
            throw violated(
                    spec.name(), spec.type() + " " + expected, output.getDatatype() + " " + output.getShapeList());
        }
        long bytes = (long) spec.rowBytes() * rows;
        if (raw.size() != bytes) {
            throw violated(spec.name(), bytes + " bytes", raw.size() + " bytes");
        }
        return new Tensor(spec.type(), shape, raw);
    }

    private TensorSpec find(List<TensorSpec> specs, String name) {
        return specs.stream()
                .filter(spec -> spec.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the contract's " + name() + " has no " + name
                        + ", but " + specs.stream().map(TensorSpec::name).collect(joining(", "))));
    }

    private FailureException violated(String tensor, String expected, String actual) {
        return new Violation(name(), tensor, expected, actual).toFailure();
    }
}
