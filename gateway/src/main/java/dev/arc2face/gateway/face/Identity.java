package dev.arc2face.gateway.face;

import java.util.List;

/**
 * Who is meant, and how that was found out.
 *
 * @param embeddings one for all portraits, or one for each
 */
public record Identity(List<Embedding> embeddings, FaceReport report) {
    public Identity {
        embeddings = List.copyOf(embeddings);
        if (embeddings.isEmpty()) {
            throw new IllegalArgumentException("an identity of nobody");
        }
    }

    Identity(Embedding embedding, FaceReport report) {
        this(List.of(embedding), report);
    }

    /** That of all portraits where there is one for all, otherwise the first one's. */
    public Embedding embedding() {
        return embedding(0);
    }

    /** That of a portrait, counted from 0. */
    public Embedding embedding(int portrait) {
        return embeddings.get(embeddings.size() == 1 ? 0 : portrait);
    }
}
