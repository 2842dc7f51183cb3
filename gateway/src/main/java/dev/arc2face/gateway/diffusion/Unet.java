package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Violation;
import java.util.List;
import java.util.Optional;

/**
 * The denoising network with classifier-free guidance (arXiv 2207.12598, equation 6). Pictures go in calls of at most
 * the model's batch size, one call after another, so that callers take turns; the unconditional and the conditional row
 * of a picture are neighbours in one call, and without guidance there is no unconditional row. Where a model is served
 * that has the unconditional context and the guidance inside, a guided picture is one row of that.
 */
final class Unet {
    private static final int GUIDED_ROWS = 2;

    private final Model model;
    private final Optional<Model> guidedModel;

    /**
     * @param model the contract's {@code unet}
     * @param guidedModel the contract's {@code unet_guided}
     * @throws dev.arc2face.gateway.FailureException MODEL_CONTRACT_VIOLATED where batches of the first cannot hold a
     *     guided picture, or the second takes other types
     */
    Unet(Model model, Optional<Model> guidedModel) {
        this.model = model;
        this.guidedModel = guidedModel;
        if (model.maxBatchSize() < GUIDED_ROWS) {
            throw new Violation(model.name(), "max_batch_size", "at least " + GUIDED_ROWS, "" + model.maxBatchSize())
                    .toFailure();
        }
        guidedModel.ifPresent(guided -> {
            for (String input : List.of("latents", "context")) {
                DataType expected = model.input(input).type();
                DataType actual = guided.input(input).type();
                if (actual != expected) {
                    throw new Violation(guided.name(), input, expected + " as " + model.name(), actual.toString())
                            .toFailure();
                }
            }
        });
    }

    /**
     * How pictures go into calls.
     *
     * @param model which model is asked
     * @param rows of each picture: the unconditional and the conditional one, or one
     * @param chunks the pictures of each call
     */
    record Calls(Model model, int rows, List<Chunk> chunks) {}

    /** The calls of a prediction for this many pictures. */
    Calls calls(int pictures, float guidanceScale) {
        boolean isGuided = guidanceScale != 1;
        Model asked = isGuided ? guidedModel.orElse(model) : model;
        int rows = isGuided && guidedModel.isEmpty() ? GUIDED_ROWS : 1;
        return new Calls(asked, rows, Chunk.split(pictures, asked.maxBatchSize() / rows));
    }

    /** Whether it is one of those that are asked. */
    boolean mayAsk(Model other) {
        return other == model || guidedModel.filter(guided -> guided == other).isPresent();
    }

    /** The element type of its context. */
    DataType contextType() {
        return model.input("context").type();
    }
}
