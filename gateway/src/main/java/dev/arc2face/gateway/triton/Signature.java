package dev.arc2face.gateway.triton;

import java.util.List;
import java.util.Map;

/**
 * What is known about a model that keeps the contract.
 *
 * @param name the model's name
 * @param version the highest served version: all calls ask for it, so that no generation runs on two versions
 * @param maxBatchSize the most rows of one call
 * @param inputs the contract's inputs, in the contract's order
 * @param outputs the contract's outputs, in the contract's order
 * @param parameters of the model's configuration
 */
record Signature(
        String name,
        String version,
        int maxBatchSize,
        List<TensorSpec> inputs,
        List<TensorSpec> outputs,
        Map<String, String> parameters) {
    /** Bytes of all inputs of the largest batch. */
    long largestRequest() {
        return largest(inputs);
    }

    /** Bytes of all outputs of the largest batch. */
    long largestAnswer() {
        return largest(outputs);
    }

    private long largest(List<TensorSpec> tensors) {
        return tensors.stream().mapToLong(TensorSpec::rowBytes).sum() * maxBatchSize;
    }
}
