package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.face.ScoredFace;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How similar to the identity a portrait must be at least, and how often it is drawn until it is.
 *
 * @param minSimilarity a cosine; empty where whatever comes will do
 * @param maxAttempts at least 1
 */
public record SimilarityFloor(OptionalDouble minSimilarity, int maxAttempts) {
    /** Whatever comes will do. */
    public static final SimilarityFloor NONE = new SimilarityFloor(OptionalDouble.empty(), 1);

    public SimilarityFloor {
        if (maxAttempts < 1 || (minSimilarity.isEmpty() && maxAttempts > 1)) {
            throw new IllegalArgumentException(maxAttempts + " attempts at " + minSimilarity);
        }
    }

    /** Whether a portrait of this score will do. What counts is the float that its caller is told. */
    public boolean isReachedBy(Optional<ScoredFace> score) {
        return minSimilarity.isEmpty()
                || (score.isPresent() && (float) score.get().similarity() >= minSimilarity.getAsDouble());
    }
}
