package dev.arc2face.gateway.triton;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What is known about a model that keeps the contract.
 *
 * @param name the model's name
 * @param maxBatchSize the most rows of one call
 * @param inputs the contract's inputs, in the contract's order
 * @param outputs the contract's outputs, in the contract's order
 * @param parameters of the model's configuration
 */
record Signature(
        String name,
        int maxBatchSize,
        List<TensorSpec> inputs,
        List<TensorSpec> outputs,
        Map<String, String> parameters) {
    /** Bytes of the largest request or answer: all its tensors with the most rows. */
    long largestMessage() {
        return maxBatchSize
                * Stream.of(inputs, outputs)
                        .mapToLong(side ->
                                side.stream().mapToLong(TensorSpec::rowBytes).sum())
                        .max()
                        .orElse(0);
    }
}
