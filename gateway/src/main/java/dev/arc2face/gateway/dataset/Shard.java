package dev.arc2face.gateway.dataset;

import java.util.stream.IntStream;

/**
 * A part of a data set's identities: every n-th one. The n parts share none and are the whole together.
 *
 * @param index i, from 1
 * @param count n
 */
public record Shard(int index, int count) {
    /** Everything. */
    public static final Shard WHOLE = new Shard(1, 1);

    public Shard {
        if (count < 1 || index < 1 || index > count) {
            throw new IllegalArgumentException("no shard " + index + "/" + count);
        }
    }

    /** Its identities, in order. */
    public IntStream of(int identities) {
        return IntStream.iterate(index - 1, identity -> identity < identities, identity -> identity + count);
    }

    @Override
    public String toString() {
        return index + "/" + count;
    }
}
