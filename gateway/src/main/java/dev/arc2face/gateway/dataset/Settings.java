package dev.arc2face.gateway.dataset;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SortedMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * All that decides what is in a data set: {@code dataset.json}. The same settings give the same identities and, on servers
 * of the same kind, the same bytes.
 *
 * @param seed a uint32
 * @param minAngle between two identities, in degrees
 * @param minSimilarity of a picture to its identity; null where any will do
 * @param maxAttempts at a picture
 * @param drawing how pictures are drawn
 * @param models who drew them
 * @param priorSha256 of the file that identities were drawn from
 * @param awayFrom the given people, if any
 * @param training the embeddings of the leakage check, if any
 */
public record Settings(
        int identities,
        int perIdentity,
        long seed,
        double minAngle,
        @Nullable Float minSimilarity,
        int maxAttempts,
        Drawing drawing,
        Models models,
        String priorSha256,
        @Nullable EmbeddingSet awayFrom,
        @Nullable EmbeddingSet training) {

    /**
     * How pictures are drawn, nothing left to the server's defaults: those may change before a run goes on.
     *
     * @param format {@code png}, {@code jpeg} or {@code webp}
     * @param jpegQuality 0 with other formats
     */
    public record Drawing(
            String variant,
            int steps,
            float guidanceScale,
            float guidanceUntil,
            String scheduler,
            boolean reproducible,
            String format,
            int jpegQuality) {
        String extension() {
            return format.equals("jpeg") ? "jpg" : format;
        }
    }

    /**
     * Who drew the pictures and judged them.
     *
     * @param sha256 of each network's weights, by its name; empty where the server does not say
     * @param licence of the pictures: of the networks that drew them
     * @param licenceNotes what the server says must be known
     */
    public record Models(
            String profile,
            String recogniserId,
            int imageWidth,
            int imageHeight,
            SortedMap<String, String> sha256,
            String licence,
            List<String> licenceNotes) {
        /** One hash for all of them: of the lines {@code NAME HASH}. */
        public String hash() {
            String lines = sha256.entrySet().stream()
                    .map(model -> model.getKey() + " " + model.getValue() + "\n")
                    .collect(Collectors.joining());
            return Hashes.sha256(lines.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** The seed, a uint32, of the first attempt at a picture. */
    public int pictureSeed(int identity, int picture) {
        return Hashes.seed("picture", seed, identity, picture);
    }
}
