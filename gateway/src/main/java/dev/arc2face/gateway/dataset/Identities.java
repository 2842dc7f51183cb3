package dev.arc2face.gateway.dataset;

import dev.arc2face.gateway.dataset.DatasetException.Problem;
import dev.arc2face.gateway.diffusion.Noise;
import dev.arc2face.gateway.face.Embedding;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * People who do not exist, away from each other and from given people. Identity k depends on the seed, on the given ones
 * and on those before it, and on nothing else: more identities begin with the same ones, and every shard finds the same.
 *
 * @param embeddings one for each
 * @param nearest cosine of the two that are nearest to each other; -1 where there is one only
 * @param nearestGiven cosine of the new and the given one that are nearest to each other; -1 where none was given
 */
public record Identities(List<Embedding> embeddings, float nearest, float nearestGiven) {
    /** After so many draws for one identity there is no room left, or so little that nobody would wait for it. */
    private static final int MOST_DRAWS = 10_000;

    /**
     * Draws them.
     *
     * @param leastAngle between any two, and between each and the given ones, in degrees
     * @throws DatasetException IDENTITIES_TOO_CLOSE where there are not so many
     */
    public static Identities draw(IdentityPrior prior, int count, double leastAngle, long seed, Gallery given) {
        double largestCosine = StrictMath.cos(StrictMath.toRadians(leastAngle));
        Gallery drawn = new Gallery(prior.embeddingSize());
        List<Embedding> embeddings = new ArrayList<>();
        float nearest = -1;
        float nearestGiven = -1;
        for (int identity = 0; identity < count; identity++) {
            boolean found = false;
            for (int draw = 0; draw < MOST_DRAWS && !found; draw++) {
                Embedding somebody = prior.draw(new Noise(Hashes.seed("identity", seed, identity, draw)));
                float toDrawn = drawn.largestCosine(somebody);
                float toGiven = given.largestCosine(somebody);
                if (Math.max(toDrawn, toGiven) <= largestCosine) {
                    drawn.add(somebody);
                    embeddings.add(somebody);
                    nearest = Math.max(nearest, toDrawn);
                    nearestGiven = Math.max(nearestGiven, toGiven);
                    found = true;
                }
            }
            if (!found) {
                throw new DatasetException(
                        Problem.IDENTITIES_TOO_CLOSE,
                        String.format(
                                Locale.ROOT,
                                "there is no room for identity %d: none of %d draws is %s degrees away from the %d before"
                                        + " it and from the %d given ones; ask for fewer identities or a smaller angle",
                                identity,
                                MOST_DRAWS,
                                leastAngle,
                                identity,
                                given.count()));
            }
        }
        return new Identities(List.copyOf(embeddings), nearest, nearestGiven);
    }
}
