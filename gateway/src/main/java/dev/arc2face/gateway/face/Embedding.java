package dev.arc2face.gateway.face;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;

/**
 * An identity: what a recogniser says about a face. Embeddings of different recognisers cannot be compared.
 *
 * @param values {@code [D]}, unit length; owned by this record, never changed
 */
public record Embedding(float[] values) {
    /**
     * Scales to unit length. Sums run in double precision, first value to last, so that the same values give the same
     * bits on every machine.
     *
     * @param values {@code [D]}, any length but zero
     * @throws FailureException EMBEDDING_INVALID when they are all zero or one is NaN or infinite
     */
    public static Embedding normalise(float[] values) {
        double squares = 0;
        for (float value : values) {
            squares += (double) value * value;
        }
        if (!Double.isFinite(squares)) { // the square of the largest float is far from overflowing a double
            throw FailureException.of(ErrorReason.EMBEDDING_INVALID, "the embedding has a NaN or an infinite value");
        }
        if (squares == 0) {
            throw FailureException.of(
                    ErrorReason.EMBEDDING_INVALID, "the embedding is zero, which is nobody: send the values of a face");
        }
        double length = Math.sqrt(squares);
        float[] unit = new float[values.length];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = (float) (values[i] / length);
        }
        return new Embedding(unit);
    }

    /** D. */
    public int size() {
        return values.length;
    }

    /** Cosine of the two, -1 to 1. */
    public double similarityTo(Embedding other) {
        if (other.size() != size()) {
            throw new IllegalArgumentException("embeddings of " + size() + " and " + other.size() + " values");
        }
        double dot = 0;
        for (int i = 0; i < values.length; i++) {
            dot += (double) values[i] * other.values[i];
        }
        return Math.max(-1, Math.min(1, dot)); // rounding of the unit vectors may step over by an ulp
    }
}
