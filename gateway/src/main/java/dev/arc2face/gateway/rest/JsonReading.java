package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnsafeByteOperations;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.grpc.MessageCount;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads a request from protobuf's JSON. Protobuf's own parser makes a tree of all there is before it looks at any of it
 * (22 MB of empty objects take gigabytes), does not say where something is wrong, and repeats in its errors what was
 * sent, which may be biometric; a test holds this one against it. Here nothing is built that is no field, and every
 * error names a field.
 */
final class JsonReading {
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]+(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?");
    private static final double FLOAT_LIMIT =
            Float.MAX_VALUE * (1 + 1e-6); // as protobuf's own: what rounds to it is it
    private static final double UINT32_LIMIT = 1L << 32;
    private static final double EXACT_LIMIT = 1L << 53;

    private final JsonReader json;
    private int messages;

    private JsonReading(byte[] json) {
        this.json = new JsonReader(new InputStreamReader(new ByteArrayInputStream(json), UTF_8));
        this.json.setStrictness(Strictness.STRICT);
    }

    /**
     * Reads all of a message.
     *
     * @throws FailureException INVALID_REQUEST
     */
    static void merge(byte[] json, Message.Builder message) {
        JsonReading reading = new JsonReading(json);
        try {
            reading.message(message, "");
            if (reading.json.peek() != JsonToken.END_DOCUMENT) {
                throw FieldPath.invalid("", "more than one JSON value");
            }
        } catch (EOFException cutShort) {
            throw FieldPath.invalid("", "the JSON is cut short");
        } catch (IOException | IllegalStateException | NumberFormatException broken) {
            throw FieldPath.invalid("", "no valid JSON"); // what they say may have in it what was sent
        }
    }

    private void message(Message.Builder message, String path) throws IOException {
        if (++messages > MessageCount.MOST) {
            throw FieldPath.invalid("", "more than " + MessageCount.MOST + " messages in the message");
        }
        expect(JsonToken.BEGIN_OBJECT, path, "an object");
        Set<FieldDescriptor> seen = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            FieldDescriptor field = FieldPath.find(message.getDescriptorForType(), name)
                    .orElseThrow(
                            () -> FieldPath.invalid(FieldPath.join(path, FieldPath.quoted(name)), "no such field"));
            String inside = FieldPath.join(path, field.getJsonName());
            if (!seen.add(field)) {
                throw FieldPath.invalid(inside, "is there twice");
            }
            if (json.peek() == JsonToken.NULL) {
                json.nextNull(); // as if it were not there
            } else {
                FieldPath.checkOneof(message, field, inside);
                field(message, field, inside);
            }
        }
        json.endObject();
    }

    private void field(Message.Builder message, FieldDescriptor field, String path) throws IOException {
        if (!field.isRepeated()) {
            message.setField(field, value(message, field, path));
            return;
        }
        expect(JsonToken.BEGIN_ARRAY, path, "a list");
        json.beginArray();
        for (int i = 0; json.hasNext(); i++) {
            message.addRepeatedField(field, value(message, field, path + "[" + i + "]"));
        }
        json.endArray();
    }

    private Object value(Message.Builder message, FieldDescriptor field, String path) throws IOException {
        return switch (field.getType()) {
            case MESSAGE -> {
                Message.Builder inner = message.newBuilderForField(field);
                message(inner, path);
                yield inner.build();
            }
            case STRING -> {
                expect(JsonToken.STRING, path, "a string");
                yield json.nextString();
            }
            case BYTES -> bytes(path);
            case BOOL -> {
                expect(JsonToken.BOOLEAN, path, "true or false");
                yield json.nextBoolean();
            }
            case ENUM -> enumeration(field, path);
            case FLOAT -> floatingPoint(path);
            case UINT32 -> uint32(path);
            case UINT64 -> uint64(path);
            default -> throw new AssertionError("no request has a " + field.getType() + " yet: " + field);
        };
    }

    private ByteString bytes(String path) throws IOException {
        expect(JsonToken.STRING, path, "base64");
        String text = json.nextString();
        boolean urlSafe = text.indexOf('-') >= 0 || text.indexOf('_') >= 0;
        try {
            return UnsafeByteOperations.unsafeWrap(
                    (urlSafe ? Base64.getUrlDecoder() : Base64.getDecoder()).decode(text));
        } catch (IllegalArgumentException broken) {
            throw FieldPath.invalid(path, "no base64");
        }
    }

    private EnumValueDescriptor enumeration(FieldDescriptor field, String path) throws IOException {
        EnumValueDescriptor value = null;
        if (json.peek() == JsonToken.STRING) {
            value = field.getEnumType().findValueByName(json.nextString());
        } else if (json.peek() == JsonToken.NUMBER) {
            value = field.getEnumType().findValueByNumber(uint32(path));
        }
        if (value == null) {
            throw FieldPath.invalid(path, "no such value; see the API");
        }
        return value;
    }

    private float floatingPoint(String path) throws IOException {
        String text = numberText(path);
        return switch (text) {
            case "NaN" -> Float.NaN;
            case "Infinity" -> Float.POSITIVE_INFINITY;
            case "-Infinity" -> Float.NEGATIVE_INFINITY;
            default -> {
                double value = number(text, path, "a number");
                if (Math.abs(value) > FLOAT_LIMIT) {
                    throw FieldPath.invalid(path, "more than a 32-bit float can be");
                }
                yield (float) Math.max(-Float.MAX_VALUE, Math.min(Float.MAX_VALUE, value));
            }
        };
    }

    private int uint32(String path) throws IOException {
        double value = number(numberText(path), path, "a whole number");
        if (value != Math.rint(value) || value < 0 || value >= UINT32_LIMIT) {
            throw FieldPath.invalid(path, "must be a whole number from 0 to 4294967295");
        }
        return (int) (long) value;
    }

    private long uint64(String path) throws IOException {
        String text = numberText(path);
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException notDigitsAlone) {
            double value = number(text, path, "a whole number");
            if (value != Math.rint(value) || value < 0 || value > EXACT_LIMIT) {
                throw FieldPath.invalid(path, "must be a whole number from 0 to 18446744073709551615");
            }
            return (long) value;
        }
    }

    /** Of a number, or of a string that stands for one. */
    private String numberText(String path) throws IOException {
        if (json.peek() != JsonToken.NUMBER && json.peek() != JsonToken.STRING) {
            throw FieldPath.invalid(path, "must be a number");
        }
        return json.nextString();
    }

    private static double number(String text, String path, String what) {
        if (!NUMBER.matcher(text).matches()) {
            throw FieldPath.invalid(path, "must be " + what);
        }
        return Double.parseDouble(text);
    }

    private void expect(JsonToken token, String path, String what) throws IOException {
        if (json.peek() != token) {
            throw FieldPath.invalid(path, "must be " + what);
        }
    }
}
