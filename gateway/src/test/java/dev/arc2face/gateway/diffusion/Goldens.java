package dev.arc2face.gateway.diffusion;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/** Reads what {@code diffusion/make_goldens.py} recorded. */
final class Goldens {
    private Goldens() {}

    static List<JsonObject> read(String name) {
        try (InputStream file = Objects.requireNonNull(Goldens.class.getResourceAsStream("/diffusion/" + name), name)) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> JsonParser.parseString(line).getAsJsonObject())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Little-endian FP32 in base 64. */
    static float[] floats(JsonObject record, String key) {
        ByteBuffer bytes = ByteBuffer.wrap(
                        Base64.getDecoder().decode(record.get(key).getAsString()))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    /** max |a - b| / max |b|. */
    static double relativeError(float[] actual, float[] expected) {
        double error = 0;
        double scale = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs((double) actual[i] - expected[i]);
            error = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(error, difference);
            scale = Math.max(scale, Math.abs(expected[i]));
        }
        return error / scale;
    }
}
