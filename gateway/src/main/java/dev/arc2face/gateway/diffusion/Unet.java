package dev.arc2face.gateway.diffusion;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Tensor;
import dev.arc2face.gateway.triton.TensorSpec;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * The denoising network with classifier-free guidance (arXiv 2207.12598, equation 6). Pictures go in calls of at most
 * the model's batch size, one call after another, so that callers take turns; the unconditional and the conditional row
 * of a picture are neighbours in one call, and without guidance there is no unconditional row.
 */
final class Unet {
    private static final int GUIDED_ROWS = 2;

    private final Model model;

    /**
     * @param model the contract's {@code unet}
     * @throws FailureException MODEL_CONTRACT_VIOLATED where its batches cannot hold a guided picture
     */
    Unet(Model model) {
        this.model = model;
        if (model.maxBatchSize() < GUIDED_ROWS) {
            throw FailureException.of(
                    ErrorReason.MODEL_CONTRACT_VIOLATED,
                    "unet: max_batch_size is " + model.maxBatchSize() + "; a guided picture takes " + GUIDED_ROWS,
                    Map.of("model", model.name(), "tensor", "max_batch_size"));
        }
    }

    /** The element type of its context. */
    DataType contextType() {
        return model.input("context").type();
    }

    /** Model calls that a prediction for this many pictures takes. */
    int calls(int pictures, float guidanceScale) {
        return chunks(pictures, rowsPerPicture(guidanceScale)).size();
    }

    /**
     * Predicts for every picture.
     *
     * @param latents as the network is to see them, {@code [N, 4, h, w]}
     * @param timestep the same for all
     * @param guidanceScale 1 for no guidance
     * @return {@code [N, 4, h, w]}
     * @throws FailureException CANCELLED or DEADLINE_EXCEEDED before a call that nobody waits for any more; otherwise as
     *     {@link Model#infer}
     */
    Latents predict(Latents latents, float timestep, Context context, float guidanceScale) {
        int rows = rowsPerPicture(guidanceScale);
        float[] predictions = new float[latents.values().length];
        for (Chunk chunk : chunks(latents.n(), rows)) {
            Cancellation.check();
            ByteString contexts = ByteString.copyFrom(Collections.nCopies(chunk.size(), context.rows(rows)));
            float[] predicted = call(repeated(latents, chunk, rows), timestep, contexts);
            float[] combined = rows == 1 ? predicted : guided(predicted, latents.stride(), guidanceScale);
            System.arraycopy(combined, 0, predictions, chunk.first() * latents.stride(), combined.length);
        }
        return latents.with(predictions);
    }

    /** One call: {@code [rows, 4, h, w]} to {@code [rows, 4, h, w]}. */
    private float[] call(float[] latents, float timestep, ByteString contexts) {
        int rows = latents.length / model.input("latents").rowLength();
        float[] timesteps = new float[rows];
        Arrays.fill(timesteps, timestep);
        TensorSpec context = model.input("context");
        Map<String, Tensor> outputs = model.infer(Map.of(
                "latents", floats("latents", rows, latents),
                "timestep", floats("timestep", rows, timesteps),
                "context", new Tensor(context.type(), context.batchShape(rows), contexts)));
        return requireNonNull(outputs.get("prediction")).toFloats();
    }

    private Tensor floats(String input, int rows, float[] values) {
        return Tensor.ofFloats(model.input(input).type(), model.input(input).batchShape(rows), values);
    }

    private List<Chunk> chunks(int pictures, int rowsPerPicture) {
        return Chunk.split(pictures, model.maxBatchSize() / rowsPerPicture);
    }

    private static int rowsPerPicture(float guidanceScale) {
        return guidanceScale == 1 ? 1 : GUIDED_ROWS;
    }

    /** The chunk's latents, each picture's {@code times} times in a row. */
    static float[] repeated(Latents latents, Chunk chunk, int times) {
        int stride = latents.stride();
        float[] rows = new float[chunk.size() * times * stride];
        for (int row = 0; row < chunk.size() * times; row++) {
            System.arraycopy(latents.values(), (chunk.first() + row / times) * stride, rows, row * stride, stride);
        }
        return rows;
    }

    /** {@code unconditional + scale (conditional - unconditional)} of each pair of rows of this length. */
    static float[] guided(float[] pairs, int stride, float scale) {
        float[] combined = new float[pairs.length / GUIDED_ROWS];
        for (int start = 0; start < combined.length; start += stride) {
            int unconditional = start * GUIDED_ROWS;
            int conditional = unconditional + stride;
            for (int i = 0; i < stride; i++) {
                float away = pairs[unconditional + i];
                combined[start + i] = away + scale * (pairs[conditional + i] - away);
            }
        }
        return combined;
    }
}
