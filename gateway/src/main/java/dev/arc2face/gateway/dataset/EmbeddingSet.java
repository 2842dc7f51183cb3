package dev.arc2face.gateway.dataset;

import dev.arc2face.gateway.face.Embedding;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;

/**
 * What a data set remembers of embeddings that it was held against: enough to tell them from others, nothing of anybody.
 *
 * @param count how many
 * @param sha256 of their values at unit length, FP32 in little endian, one after the other
 */
public record EmbeddingSet(int count, String sha256) {
    /** Looks at embeddings as they pass. */
    public static final class Builder {
        private final MessageDigest digest = Hashes.sha256();
        private int count;

        /** One more. */
        public void add(Embedding embedding) {
            ByteBuffer values = ByteBuffer.allocate(4 * embedding.size()).order(ByteOrder.LITTLE_ENDIAN);
            values.asFloatBuffer().put(embedding.values());
            digest.update(values.array());
            count++;
        }

        public int count() {
            return count;
        }

        /** Ends it. */
        public EmbeddingSet build() {
            return new EmbeddingSet(count, Hashes.hex(digest));
        }
    }
}
