package dev.arc2face.gateway.face;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.List;

/**
 * An identity: what a recogniser says about a face. Embeddings of different recognisers cannot be compared.
 *
 * @param values {@code [D]}, unit length; owned by this record, never changed
 */
public record Embedding(float[] values) {
    /** Below this squared length the sum of two unit embeddings is rounding and no direction. */
    private static final double OPPOSITE = 1e-12;

    /**
     * Scales to unit length. Sums run in double precision, first value to last, so that the same values give the same
     * bits on every machine.
     *
     * @param values {@code [D]}, any length but zero
     * @throws FailureException EMBEDDING_INVALID when they are all zero or one is NaN or infinite
     */
    public static Embedding normalise(float[] values) {
        double[] exact = new double[values.length];
        for (int i = 0; i < exact.length; i++) {
            exact[i] = values[i];
        }
        return normalise(exact);
    }

    /**
     * The mean of unit embeddings, at unit length. That of equal ones is the same one.
     *
     * @param embeddings at least one
     * @throws FailureException EMBEDDING_INVALID where they cancel out
     */
    static Embedding mean(List<Embedding> embeddings) {
        double[] sum = new double[embeddings.get(0).size()];
        for (Embedding embedding : embeddings) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += embedding.values[i];
            }
        }
        return normalise(sum);
    }

    private static Embedding normalise(double[] values) {
        double squares = 0;
        for (double value : values) {
            squares += value * value;
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

    /**
     * Spherical linear interpolation (Shoemake 1985): the point on the shortest arc from this to the other. At 0 it is this,
     * at 1 the other, bit for bit; between equal ones it is always the same.
     *
     * @param t share of the angle, 0 to 1
     * @throws FailureException EMBEDDING_INVALID between opposite ones, where every arc is as short
     */
    Embedding towards(Embedding other, double t) {
        double apart = 0; // squared lengths of the difference and of the sum
        double together = 0;
        for (int i = 0; i < values.length; i++) {
            double difference = (double) other.values[i] - values[i];
            double sum = (double) other.values[i] + values[i];
            apart += difference * difference;
            together += sum * sum;
        }
        if (t == 0 || apart == 0) {
            return this;
        }
        if (t == 1) {
            return other;
        }
        if (together < OPPOSITE) {
            throw FailureException.of(
                    ErrorReason.EMBEDDING_INVALID, "the two identities are opposite: there is nobody between them");
        }
        double angle = 2 * Math.atan2(Math.sqrt(apart), Math.sqrt(together)); // exact where acos is not, near 0 and pi
        double fromThis = Math.sin((1 - t) * angle) / Math.sin(angle);
        double fromOther = Math.sin(t * angle) / Math.sin(angle);
        double[] between = new double[values.length];
        for (int i = 0; i < between.length; i++) {
            between[i] = fromThis * values[i] + fromOther * other.values[i];
        }
        return normalise(between);
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
