package dev.arc2face.gateway.diffusion;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.face.Embedding;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Tensor;
import dev.arc2face.gateway.triton.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The identity encoder: an embedding in the place of a word of the prompt, through the text transformer. */
final class Encoder {
    private final Model model;

    /** @param model the contract's {@code encoder} */
    Encoder(Model model) {
        this.model = model;
    }

    /**
     * The context of each embedding {@code [D]}; fails as {@link Model#infer} does.
     *
     * @param contextType what the UNet wants the context to be
     */
    List<Context> encode(List<Embedding> embeddings, DataType contextType) {
        List<Context> contexts = new ArrayList<>();
        for (Chunk chunk : Chunk.split(embeddings.size(), model.maxBatchSize())) {
            TensorSpec input = model.input("id_embedding");
            float[] rows = new float[chunk.size() * input.rowLength()]; // [B,D]
            for (int row = 0; row < chunk.size(); row++) {
                float[] values = embeddings.get(chunk.first() + row).values();
                System.arraycopy(values, 0, rows, row * input.rowLength(), input.rowLength());
            }
            Map<String, Tensor> outputs = model.infer(
                    Map.of("id_embedding", Tensor.ofFloats(DataType.FP32, input.batchShape(chunk.size()), rows)));
            Tensor conditional = converted(requireNonNull(outputs.get("context")), contextType); // [B,T,C]
            Tensor unconditional = converted(requireNonNull(outputs.get("negative_context")), contextType);
            for (int row = 0; row < chunk.size(); row++) {
                contexts.add(new Context(row(conditional, row), row(unconditional, row)));
            }
        }
        return contexts;
    }

    private static ByteString row(Tensor tensor, int row) {
        int length = tensor.raw().size() / tensor.shape()[0];
        return tensor.raw().substring(row * length, (row + 1) * length);
    }

    private static Tensor converted(Tensor tensor, DataType type) {
        return tensor.type() == type ? tensor : Tensor.ofFloats(type, tensor.shape(), tensor.toFloats());
    }
}
