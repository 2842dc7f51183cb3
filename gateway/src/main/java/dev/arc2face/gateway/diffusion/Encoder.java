package dev.arc2face.gateway.diffusion;

import static java.util.Objects.requireNonNull;

import dev.arc2face.gateway.face.Embedding;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Tensor;
import java.util.Map;

/** The identity encoder: an embedding in the place of a word of the prompt, through the text transformer. */
final class Encoder {
    private final Model model;

    /** @param model the contract's {@code encoder} */
    Encoder(Model model) {
        this.model = model;
    }

    /**
     * The context of an embedding {@code [D]}; fails as {@link Model#infer} does.
     *
     * @param contextType what the UNet wants the context to be
     */
    Context encode(Embedding embedding, DataType contextType) {
        int[] shape = model.input("id_embedding").batchShape(1);
        Map<String, Tensor> outputs =
                model.infer(Map.of("id_embedding", Tensor.ofFloats(DataType.FP32, shape, embedding.values())));
        return new Context(
                converted(requireNonNull(outputs.get("context")), contextType).raw(),
                converted(requireNonNull(outputs.get("negative_context")), contextType)
                        .raw());
    }

    private static Tensor converted(Tensor tensor, DataType type) {
        return tensor.type() == type ? tensor : Tensor.ofFloats(type, tensor.shape(), tensor.toFloats());
    }
}
