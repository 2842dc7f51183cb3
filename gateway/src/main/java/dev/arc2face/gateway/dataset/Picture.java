package dev.arc2face.gateway.dataset;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What became of one picture that a data set wants: a line of JSON. */
public sealed interface Picture {
    Gson GSON = new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .disableHtmlEscaping()
            .create();

    int identity();

    /** Its number within its identity, from 0. */
    int picture();

    /** Attempts made at it. */
    int attempts();

    /**
     * A picture that is there: a row of the manifest.
     *
     * @param file within the data set's folder, with slashes
     * @param alignedFile its face warped to ArcFace's five-point template, 112x112, PNG
     * @param seed of the attempt that is kept, a uint32
     * @param similarity cosine of its embedding and its identity's
     * @param landmarks x and y of eye, eye, nose, mouth corner, mouth corner, the image's left first, in pixels of the
     *     picture; the origin is the top left corner of the top left pixel
     * @param sha256 of the file
     * @param alignedSha256 of the aligned file
     * @param modelHash see {@link Settings.Models#hash}
     * @param licence of the networks that drew it
     * @param trainingCosine largest cosine of its identity and a training one; null where nobody looked
     */
    record Kept(
            int identity,
            int picture,
            String file,
            String alignedFile,
            long seed,
            float similarity,
            int attempts,
            List<Float> landmarks,
            int width,
            int height,
            String sha256,
            String alignedSha256,
            String recogniserId,
            String modelHash,
            String licence,
            @Nullable Float trainingCosine)
            implements Picture {}

    /**
     * A picture that is not there: none of the attempts was similar enough and showed a face.
     *
     * @param rejected always true; tells the two kinds of lines apart
     */
    record Missed(int identity, int picture, int attempts, boolean rejected) implements Picture {
        public Missed(int identity, int picture, int attempts) {
            this(identity, picture, attempts, true);
        }
    }

    /** This one as a line, without its end. */
    default String line() {
        return GSON.toJson(this);
    }

    /** The one in a line; empty where the line is damaged. */
    static Optional<Picture> of(String line) {
        try {
            JsonObject fields = JsonParser.parseString(line).getAsJsonObject();
            Class<? extends Picture> kind = fields.has("rejected") ? Missed.class : Kept.class;
            return Optional.of(GSON.fromJson(fields, kind));
        } catch (JsonParseException | IllegalStateException damaged) {
            return Optional.empty();
        }
    }
}
