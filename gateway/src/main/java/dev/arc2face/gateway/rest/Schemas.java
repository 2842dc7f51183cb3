package dev.arc2face.gateway.rest;

import build.buf.validate.FieldRules;
import build.buf.validate.FloatRules;
import build.buf.validate.StringRules;
import build.buf.validate.UInt32Rules;
import build.buf.validate.ValidateProto;
import com.google.api.FieldBehavior;
import com.google.api.FieldBehaviorProto;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** JSON Schemas of the API's messages, from their descriptors: names, types, ranges, and the words of the proto. */
final class Schemas {
    private static final String UINT64 = "^[0-9]{1,20}$";
    private static final String DURATION = "^-?[0-9]+(\\.[0-9]{1,9})?s$";

    private final ProtoComments comments;
    private final Map<String, JsonObject> schemas = new TreeMap<>();

    Schemas(ProtoComments comments) {
        this.comments = comments;
    }

    /** A reference to the schema of a message; it and all that it refers to are made. */
    JsonObject reference(Descriptor message) {
        if (!schemas.containsKey(message.getName())) {
            JsonObject schema = new JsonObject();
            schemas.put(message.getName(), schema); // before its fields: an identity has identities in it
            describe(message, schema);
        }
        return reference(message.getName());
    }

    static JsonObject reference(String schema) {
        return string("$ref", "#/components/schemas/" + schema);
    }

    /** All that were referred to. */
    JsonObject all() {
        JsonObject all = new JsonObject();
        schemas.forEach(all::add);
        return all;
    }

    private void describe(Descriptor message, JsonObject schema) {
        JsonObject properties = new JsonObject();
        JsonArray required = new JsonArray();
        for (FieldDescriptor field : message.getFields()) {
            JsonObject property = field.isRepeated() ? list(field) : value(field);
            property.addProperty("description", comments.of(message.getName() + "." + field.getName()));
            List<FieldBehavior> behaviours = field.getOptions().getExtension(FieldBehaviorProto.fieldBehavior);
            if (behaviours.contains(FieldBehavior.REQUIRED)) {
                required.add(field.getJsonName());
            }
            properties.add(field.getJsonName(), property);
        }
        schema.addProperty("type", "object");
        schema.addProperty("description", comments.of(message.getName()) + choices(message));
        schema.add("properties", properties);
        if (!required.isEmpty()) {
            schema.add("required", required);
        }
    }

    private static String choices(Descriptor message) {
        return message.getRealOneofs().stream().map(Schemas::choice).collect(Collectors.joining());
    }

    private static String choice(OneofDescriptor oneof) {
        return " Has one of "
                + oneof.getFields().stream().map(FieldDescriptor::getJsonName).collect(Collectors.joining(", ")) + ".";
    }

    private JsonObject list(FieldDescriptor field) {
        JsonObject list = string("type", "array");
        list.add("items", value(field));
        return list;
    }

    private JsonObject value(FieldDescriptor field) {
        FieldRules rules = field.getOptions().getExtension(ValidateProto.field);
        return switch (field.getType()) {
            case MESSAGE ->
                field.getMessageType()
                                .getFullName()
                                .equals(Duration.getDescriptor().getFullName())
                        ? string("type", "string", "pattern", DURATION)
                        : reference(field.getMessageType());
            case ENUM -> enumeration(field.getEnumType());
            case STRING -> text(rules.getString());
            case BYTES -> string("type", "string", "contentEncoding", "base64");
            case BOOL -> string("type", "boolean");
            case FLOAT, DOUBLE -> number(rules.getFloat());
            case UINT32 -> wholeNumber(rules.getUint32());
            case UINT64 -> string("type", "string", "pattern", UINT64); // as protobuf's JSON has them
            default -> throw new IllegalStateException("no message of the API has a " + field.getType() + " yet");
        };
    }

    private JsonObject enumeration(EnumDescriptor type) {
        JsonObject schema = string("type", "string");
        JsonArray names = new JsonArray();
        type.getValues().forEach(value -> names.add(value.getName()));
        schema.add("enum", names);
        return schema;
    }

    private static JsonObject text(StringRules rules) {
        JsonObject schema = string("type", "string");
        if (rules.hasPattern()) {
            schema.addProperty("pattern", rules.getPattern());
        }
        if (rules.hasMinLen()) {
            schema.addProperty("minLength", rules.getMinLen());
        }
        if (rules.hasMaxLen()) {
            schema.addProperty("maxLength", rules.getMaxLen());
        }
        return schema;
    }

    private static JsonObject number(FloatRules rules) {
        JsonObject schema = string("type", "number");
        if (rules.hasGte()) {
            schema.addProperty("minimum", rules.getGte());
        }
        if (rules.hasGt()) {
            schema.addProperty("exclusiveMinimum", rules.getGt());
        }
        if (rules.hasLte()) {
            schema.addProperty("maximum", rules.getLte());
        }
        return schema;
    }

    private static JsonObject wholeNumber(UInt32Rules rules) {
        JsonObject schema = string("type", "integer");
        schema.addProperty("minimum", rules.hasGte() ? Integer.toUnsignedLong(rules.getGte()) : 0);
        schema.addProperty(
                "maximum",
                rules.hasLte()
                        ? Integer.toUnsignedLong(rules.getLte())
                        : rules.hasLt() ? Integer.toUnsignedLong(rules.getLt()) - 1 : (1L << 32) - 1);
        return schema;
    }

    /** @param pairs of names and values */
    static JsonObject string(String... pairs) {
        JsonObject object = new JsonObject();
        for (int i = 0; i < pairs.length; i += 2) {
            object.addProperty(pairs[i], pairs[i + 1]);
        }
        return object;
    }
}
