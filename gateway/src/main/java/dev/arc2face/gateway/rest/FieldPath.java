package dev.arc2face.gateway.rest;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Message;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Fields of messages by their names in JSON: {@code identity.average.sources[0].photo}. */
final class FieldPath {
    private static final int MOST_ELEMENTS = 7; // identity.interpolation.first.average.sources[0].alignedFace.rgb

    private static final Pattern ELEMENT = Pattern.compile("([A-Za-z][A-Za-z0-9_]{0,23})(?:\\[([0-9]{1,2})])?");
    private static final Pattern PATH =
            Pattern.compile("%1$s(?:\\.%1$s){0,%2$d}".formatted(ELEMENT, MOST_ELEMENTS - 1));
    private static final Pattern SNAKE = Pattern.compile("_([a-z0-9])");

    private FieldPath() {}

    /** A path of names as the proto has them, with the names that JSON has. */
    static String inJson(String protoPath) {
        return SNAKE.matcher(protoPath).replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
    }

    /** The field of that name: as JSON has it or, as protobuf's JSON allows, as the proto has it. */
    static Optional<FieldDescriptor> find(Descriptor type, String name) {
        FieldDescriptor byProtoName = type.findFieldByName(name);
        return byProtoName != null
                ? Optional.of(byProtoName)
                : type.getFields().stream()
                        .filter(field -> field.getJsonName().equals(name))
                        .findFirst();
    }

    /** A name that somebody made up, for an error; what does not look like one may be anything. */
    static String quoted(String name) {
        return PATH.matcher(name).matches() ? name : "(a name)";
    }

    static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    static FailureException invalid(String path, String description) {
        return FailureException.invalid(List.of(new FieldViolation(path, description)));
    }

    /** Refuses a field whose place in a oneof another one has taken. */
    static void checkOneof(Message.Builder message, FieldDescriptor field, String path) {
        OneofDescriptor oneof = field.getRealContainingOneof();
        FieldDescriptor taken = oneof == null ? null : message.getOneofFieldDescriptor(oneof);
        if (taken != null && taken != field) {
            throw invalid(path, "goes without " + taken.getJsonName());
        }
    }

    /** Sets a field of bytes, wherever it is in the message, with the messages and list elements on the way. */
    static void set(Message.Builder message, String path, ByteString bytes) {
        Message.Builder here = message;
        String[] elements = path.split("\\.", -1);
        for (int i = 0; i < elements.length; i++) {
            Matcher element = ELEMENT.matcher(elements[i]);
            FieldDescriptor field = element.matches()
                    ? find(here.getDescriptorForType(), element.group(1)).orElse(null)
                    : null;
            boolean last = i == elements.length - 1;
            if (field == null
                    || field.isRepeated() != (element.group(2) != null)
                    || field.getJavaType() != (last ? JavaType.BYTE_STRING : JavaType.MESSAGE)
                    || (last && field.isRepeated())) {
                throw invalid(quoted(path), "names no field of bytes of the request");
            }
            checkOneof(here, field, path);
            if (!last) {
                here = inside(here, field, element.group(2));
            } else if (here.hasField(field) || !((ByteString) here.getField(field)).isEmpty()) {
                throw invalid(path, "is there twice");
            } else {
                here.setField(field, bytes);
            }
        }
    }

    private static Message.Builder inside(Message.Builder message, FieldDescriptor field, @Nullable String index) {
        if (index == null) {
            return message.getFieldBuilder(field);
        }
        int position = Integer.parseInt(index);
        while (message.getRepeatedFieldCount(field) <= position) {
            message.addRepeatedField(field, message.newBuilderForField(field).build());
        }
        return message.getRepeatedFieldBuilder(field, position);
    }
}
