package dev.arc2face.gateway.dataset;

import dev.arc2face.gateway.face.Embedding;
import java.util.ArrayList;
import java.util.List;

/**
 * Unit embeddings that others are held against. They lie in blocks {@code [D,256]}, so that one embedding's cosines to a
 * block are sums over whole rows, which the JVM computes many at a time and in the same order on every machine.
 */
public final class Gallery {
    private static final int BLOCK = 256;

    private final int embeddingSize;
    private final List<float[]> blocks = new ArrayList<>(); // [D,256] each
    private int count;

    /** An empty one for embeddings of D values. */
    public Gallery(int embeddingSize) {
        this.embeddingSize = embeddingSize;
    }

    public int count() {
        return count;
    }

    /** Takes one more. */
    public void add(Embedding embedding) {
        if (embedding.size() != embeddingSize) {
            throw new IllegalArgumentException("an embedding of " + embedding.size() + " values, not " + embeddingSize);
        }
        if (count % BLOCK == 0) {
            blocks.add(new float[embeddingSize * BLOCK]);
        }
        float[] block = blocks.get(count / BLOCK);
        for (int i = 0; i < embeddingSize; i++) {
            block[i * BLOCK + count % BLOCK] = embedding.values()[i];
        }
        count++;
    }

    /** Cosine to the nearest of them; -1 where there is none. */
    public float largestCosine(Embedding embedding) {
        float largest = -1;
        for (int b = 0; b < blocks.size(); b++) {
            float[] cosines = cosines(blocks.get(b), embedding);
            for (int i = 0; i < filled(b); i++) {
                largest = Math.max(largest, cosines[i]);
            }
        }
        return Math.min(largest, 1);
    }

    /**
     * Raises, for each of them, the largest cosine to anybody seen so far.
     *
     * @param largest {@code [count]}
     */
    public void raise(float[] largest, Embedding seen) {
        for (int b = 0; b < blocks.size(); b++) {
            float[] cosines = cosines(blocks.get(b), seen);
            for (int i = 0; i < filled(b); i++) {
                int at = b * BLOCK + i;
                largest[at] = Math.max(largest[at], Math.min(cosines[i], 1));
            }
        }
    }

    private int filled(int block) {
        return Math.min(BLOCK, count - block * BLOCK);
    }

    private static float[] cosines(float[] block, Embedding embedding) {
        float[] sums = new float[BLOCK];
        float[] values = embedding.values();
        for (int i = 0; i < values.length; i++) {
            addScaled(sums, block, i * BLOCK, values[i]);
        }
        return sums;
    }

    private static void addScaled(float[] sums, float[] block, int row, float scale) {
        for (int j = 0; j < BLOCK; j++) {
            sums[j] += scale * block[row + j];
        }
    }
}
