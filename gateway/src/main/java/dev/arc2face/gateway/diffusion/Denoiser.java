package dev.arc2face.gateway.diffusion;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Tensor;
import dev.arc2face.gateway.triton.Tensor.Floats;
import dev.arc2face.gateway.triton.TensorSpec;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The UNet at the work of one generation. Of a step's tensors only what goes over the wire is allocated anew, because a
 * call may be sent again while the next step is already on its way; contexts are made once and shared by all calls.
 * One owner, one thread.
 */
final class Denoiser {
    private final Unet unet;
    private final List<Context> contexts;
    private final Latents prediction;
    private final Map<Rows, Tensor> rowsOfContexts = new HashMap<>();
    private float[] pairs = {};

    /** What tells one tensor of contexts from another: pictures of one identity share theirs, in whatever call they are. */
    private record Rows(List<Context> contexts, int perPicture) {}

    /**
     * @param contexts one for each picture
     * @param shape latents of the pictures' shape; their values do not matter
     */
    Denoiser(Unet unet, List<Context> contexts, Latents shape) {
        this.unet = unet;
        this.contexts = List.copyOf(contexts);
        this.prediction = shape.with(new float[shape.values().length]);
    }

    /**
     * Predicts for every picture.
     *
     * @param latents {@code [N, 4, h, w]}
     * @param step gives the timestep, the same for all, and what the latents are multiplied by
     * @param guidanceScale 1 for no guidance
     * @return {@code [N, 4, h, w]}, until the next prediction is made
     * @throws dev.arc2face.gateway.FailureException CANCELLED or DEADLINE_EXCEEDED before a call that nobody waits for
     *     any more; otherwise as {@link Model#infer}
     */
    Latents predict(Latents latents, Step step, float guidanceScale) {
        Unet.Calls calls = unet.calls(latents.n(), guidanceScale);
        for (Chunk chunk : calls.chunks()) {
            Cancellation.check();
            Tensor predicted = call(calls.model(), calls.rows(), latents, chunk, step, guidanceScale);
            int offset = chunk.first() * latents.stride();
            if (calls.rows() == 1) {
                predicted.readFloats(prediction.values(), offset);
            } else {
                int length = calls.rows() * chunk.size() * latents.stride();
                pairs = pairs.length < length ? new float[length] : pairs;
                predicted.readFloats(pairs, 0);
                guide(pairs, latents.stride(), guidanceScale, prediction.values(), offset, chunk.size());
            }
        }
        return prediction;
    }

    private Tensor call(Model model, int perPicture, Latents latents, Chunk chunk, Step step, float guidanceScale) {
        int rows = chunk.size() * perPicture;
        TensorSpec spec = model.input("latents");
        Floats input = new Floats(spec.type(), spec.batchShape(rows));
        for (int picture = chunk.first(); picture < chunk.first() + chunk.size(); picture++) {
            input.put(
                    latents.values(),
                    picture * latents.stride(),
                    latents.stride(),
                    (float) step.inputScale(),
                    perPicture);
        }
        Map<String, Tensor> inputs = new HashMap<>();
        inputs.put("latents", input.tensor());
        inputs.put("timestep", column(rows, step.timestep()));
        Rows ofChunk = new Rows(contexts.subList(chunk.first(), chunk.first() + chunk.size()), perPicture);
        inputs.put("context", rowsOfContexts.computeIfAbsent(ofChunk, key -> tensor(model, key)));
        if (model.hasInput("guidance")) {
            inputs.put("guidance", column(rows, guidanceScale));
        }
        return requireNonNull(model.infer(inputs).get("prediction"));
    }

    private static Tensor tensor(Model model, Rows rows) {
        ByteString bytes = ByteString.copyFrom(rows.contexts().stream()
                .map(context -> context.rows(rows.perPicture()))
                .toList());
        TensorSpec spec = model.input("context");
        return new Tensor(spec.type(), spec.batchShape(rows.contexts().size() * rows.perPicture()), bytes);
    }

    /** The same number for every row, {@code [rows, 1]}. */
    private static Tensor column(int rows, float value) {
        float[] values = new float[rows];
        Arrays.fill(values, value);
        return Tensor.ofFloats(DataType.FP32, new int[] {rows, 1}, values);
    }

    /**
     * {@code unconditional + scale (conditional - unconditional)} of each of {@code count} pairs of rows of length
     * {@code stride}, to {@code into} from {@code offset} on.
     */
    static void guide(float[] pairs, int stride, float scale, float[] into, int offset, int count) {
        for (int pair = 0; pair < count; pair++) {
            int unconditional = 2 * pair * stride;
            int conditional = unconditional + stride;
            int combined = offset + pair * stride;
            for (int i = 0; i < stride; i++) {
                float away = pairs[unconditional + i];
                into[combined + i] = away + scale * (pairs[conditional + i] - away);
            }
        }
    }
}
