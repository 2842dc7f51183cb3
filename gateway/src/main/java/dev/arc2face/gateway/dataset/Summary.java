package dev.arc2face.gateway.dataset;

import org.jspecify.annotations.Nullable;

/**
 * A data set in a few numbers.
 *
 * @param identities with one picture at least
 * @param pictures that are there
 * @param missed pictures that no attempt was good enough for
 * @param attempts at all of them
 * @param meanSimilarity of a picture to its identity; null where there is none
 * @param leastSimilarity of any
 * @param trainingCosine the largest of an identity and a training one; null where nobody looked
 * @param meanTrainingCosine mean of each identity's largest
 */
public record Summary(
        int identities,
        int pictures,
        int missed,
        long attempts,
        @Nullable Double meanSimilarity,
        @Nullable Double leastSimilarity,
        @Nullable Double trainingCosine,
        @Nullable Double meanTrainingCosine) {

    /** A line of JSON. */
    public String line() {
        return Picture.GSON.toJson(this);
    }

    /** Counts pictures as they pass, identity by identity. */
    static final class Builder {
        private int identities;
        private int latestIdentity = -1;
        private int pictures;
        private int missed;
        private long attempts;
        private double similarities;
        private double leastSimilarity = 1;
        private double trainingCosine = -1;
        private double trainingCosines;
        private int looked;

        void add(Picture picture) {
            attempts += picture.attempts();
            if (picture instanceof Picture.Kept kept) {
                boolean isNewIdentity = kept.identity() != latestIdentity;
                latestIdentity = kept.identity();
                pictures++;
                similarities += kept.similarity();
                leastSimilarity = Math.min(leastSimilarity, kept.similarity());
                if (isNewIdentity) {
                    identities++;
                    look(kept.trainingCosine());
                }
            } else {
                missed++;
            }
        }

        private void look(@Nullable Float cosine) {
            if (cosine != null) {
                looked++;
                trainingCosine = Math.max(trainingCosine, cosine);
                trainingCosines += cosine;
            }
        }

        Summary build() {
            return new Summary(
                    identities,
                    pictures,
                    missed,
                    attempts,
                    ifAny(pictures, similarities / pictures),
                    ifAny(pictures, leastSimilarity),
                    ifAny(looked, trainingCosine),
                    ifAny(looked, trainingCosines / looked));
        }

        private static @Nullable Double ifAny(int count, double value) {
            return count == 0 ? null : value;
        }
    }
}
