package dev.arc2face.gateway.face;

import static java.util.Objects.requireNonNull;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Violation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Tells who a face is. What it says of a crop does not depend on the crops beside it. Safe to use from any number of
 * threads; fails as {@link Model#infer} does.
 */
public final class Recogniser {
    private static final String THRESHOLD = "same_person_threshold";

    /** What insightface's own examples take for its ArcFace networks. */
    private static final String DEFAULT_THRESHOLD = "0.28";

    private final Model model;
    private final String id;
    private final int embeddingSize;
    private final double samePersonThreshold;

    /**
     * A recogniser.
     *
     * @param model the contract's {@code arcface}
     * @throws FailureException MODEL_CONTRACT_VIOLATED where its threshold is no cosine
     */
    public Recogniser(Model model) {
        this.model = model;
        id = model.requireParameter("recogniser_id");
        embeddingSize = model.output("embedding").rowLength();
        samePersonThreshold = threshold(model.name(), model.parameter(THRESHOLD).orElse(DEFAULT_THRESHOLD));
    }

    /** Which recogniser this is. Embeddings of another one mean nothing here. */
    public String id() {
        return id;
    }

    /** The least cosine of two embeddings that are taken for one person's. */
    public double samePersonThreshold() {
        return samePersonThreshold;
    }

    static double threshold(String model, String text) {
        return Model.number(model, THRESHOLD, text, cosine -> cosine > 0 && cosine < 1, "a number between 0 and 1");
    }

    /** The embedding of one aligned crop [112,112,3]. */
    public Embedding embed(Pixels crop) {
        return embedAll(List.of(crop)).get(0);
    }

    /** The embedding of each aligned crop [112,112,3]. */
    public List<Embedding> embedAll(List<Pixels> crops) {
        List<Embedding> embeddings = new ArrayList<>();
        for (List<Pixels> chunk : Chunks.of(crops, model.maxBatchSize())) {
            float[] values = requireNonNull(model.infer(Map.of("face", Chunks.tensor(model.input("face"), chunk)))
                            .get("embedding"))
                    .toFloats(); // [B,D]
            for (int row = 0; row < chunk.size(); row++) {
                embeddings.add(answered(
                        model.name(), Arrays.copyOfRange(values, row * embeddingSize, (row + 1) * embeddingSize)));
            }
        }
        return embeddings;
    }

    /** A model's answer of values [D] at unit length; what would be a caller's mistake is here the model's. */
    static Embedding answered(String model, float[] values) {
        try {
            return Embedding.normalise(values);
        } catch (FailureException invalid) {
            throw new Violation(model, "embedding", "finite values, not all zero", "an embedding that is nobody's")
                    .toFailure();
        }
    }

    /**
     * An embedding computed earlier, brought to unit length.
     *
     * @throws FailureException EMBEDDING_MODEL_MISMATCH where it is another recogniser's; EMBEDDING_INVALID where its
     *     length is wrong, it is zero, or it has a NaN or an infinite value
     */
    Embedding adopt(IdentitySource.GivenEmbedding given) {
        if (!given.recogniserId().equals(id)) {
            throw FailureException.of(
                    ErrorReason.EMBEDDING_MODEL_MISMATCH,
                    "the embedding comes from another recogniser than '" + id + "': compute it anew with EmbedFace",
                    Map.of("expected", id, "actual", given.recogniserId()));
        }
        if (given.values().length != embeddingSize) {
            throw FailureException.of(
                    ErrorReason.EMBEDDING_INVALID,
                    "the embedding has " + given.values().length + " values: send all " + embeddingSize,
                    Map.of("expected_length", String.valueOf(embeddingSize)));
        }
        return Embedding.normalise(given.values());
    }
}
