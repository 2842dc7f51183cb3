package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Int64Value;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.GenerateRequest;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Protobuf's JSON is read as protobuf's own parser reads it. */
class JsonReadingTest {
    static List<Message> requests() {
        return List.of(
                GenerateRequest.getDefaultInstance(),
                EmbedFaceRequest.getDefaultInstance(),
                CompareFacesRequest.getDefaultInstance(),
                DetectFacesRequest.getDefaultInstance());
    }

    @ParameterizedTest
    @MethodSource("requests")
    void whatProtobufPrintsIsRead(Message prototype) throws InvalidProtocolBufferException {
        Random random = new Random(5);
        for (int i = 0; i < 300; i++) {
            Message message = message(prototype, random, 0);
            List<JsonFormat.Printer> printers = List.of(
                    JsonFormat.printer(),
                    JsonFormat.printer().preservingProtoFieldNames(),
                    JsonFormat.printer().alwaysPrintFieldsWithNoPresence(),
                    JsonFormat.printer().printingEnumsAsInts());
            for (JsonFormat.Printer printer : printers) {
                String json = printer.print(message);
                assertThat(read(json, prototype)).as(json).isEqualTo(message);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"steps\":null,\"identity\":null}",
                "{\"steps\":\"7\"}",
                "{\"steps\":7.0}",
                "{\"steps\":7e0}",
                "{\"seed\":4294967295}",
                "{\"afterSequence\":18446744073709551615}",
                "{\"afterSequence\":\"18446744073709551615\"}",
                "{\"afterSequence\":12.0}",
                "{\"guidanceScale\":\"NaN\"}",
                "{\"guidanceScale\":\"-Infinity\"}",
                "{\"guidanceScale\":\"2.5\"}",
                "{\"guidanceScale\":3.4028235e38}",
                "{\"guidanceScale\":1e-60}",
                "{\"outputFormat\":2}",
                "{\"request_id\":\"\\u00e4\\n\"}",
                "{\"identity\":{\"photo\":\"-_8\"}}",
                "{\"identity\":{\"photo\":\"+/8=\"}}",
                "{\"identity\":{\"photo\":\"+/8\"}}",
                "{\"identity\":{\"photo\":\"\"}}",
                " {\n\"reproducible\" : true } "
            })
    void whatProtobufReadsIsReadTheSame(String json) throws InvalidProtocolBufferException {
        GenerateRequest.Builder expected = GenerateRequest.newBuilder();
        JsonFormat.parser().merge(json, expected);
        assertThat(read(json, GenerateRequest.getDefaultInstance())).isEqualTo(expected.build());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"steps\":\"\"}",
                "{\"steps\":\"0x10\"}",
                "{\"steps\":4294967296}",
                "{\"guidanceScale\":1e39}",
                "{\"guidanceScale\":\"infinity\"}",
                "{\"identity\":{\"photo\":\"a b\"}}",
                "{\"nothing\":1}"
            })
    void whatProtobufRefusesIsRefusedWithoutTellingIt(String json) {
        assertThatThrownBy(() -> JsonFormat.parser().merge(json, GenerateRequest.newBuilder()))
                .isInstanceOf(InvalidProtocolBufferException.class);
        String value = json.substring(json.lastIndexOf(':') + 1).replaceAll("[\"}]", "");
        assertThatThrownBy(() -> read(json, GenerateRequest.getDefaultInstance()))
                .isInstanceOfSatisfying(FailureException.class, failure -> {
                    assertThat(failure.violations()).hasSize(1);
                    if (value.length() > 3) {
                        assertThat(failure.message()).doesNotContain(value);
                    }
                });
    }

    @Test
    void fieldThatIsNotReadYetIsADefectAndNotTheCallers() {
        assertThatThrownBy(() -> read("{\"value\":1}", Int64Value.getDefaultInstance()))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("INT64");
    }

    private static Message read(String json, Message prototype) {
        Message.Builder message = prototype.newBuilderForType();
        JsonReading.merge(json.getBytes(UTF_8), message);
        return message.build();
    }

    /** One with about half of its fields. */
    private static Message message(Message prototype, Random random, int depth) {
        Message.Builder message = prototype.newBuilderForType();
        Descriptor type = prototype.getDescriptorForType();
        for (FieldDescriptor field : type.getFields()) {
            boolean taken = field.getRealContainingOneof() != null && message.hasOneof(field.getRealContainingOneof());
            if (taken
                    || random.nextBoolean()
                    || (depth > 3 && field.getJavaType() == FieldDescriptor.JavaType.MESSAGE)) {
                continue;
            }
            if (field.isRepeated()) {
                for (int i = random.nextInt(4); i > 0; i--) {
                    message.addRepeatedField(field, value(message, field, random, depth));
                }
            } else {
                message.setField(field, value(message, field, random, depth));
            }
        }
        return message.build();
    }

    private static Object value(Message.Builder message, FieldDescriptor field, Random random, int depth) {
        byte[] bytes = new byte[random.nextInt(9)];
        random.nextBytes(bytes);
        return switch (field.getType()) {
            case MESSAGE -> message(message.newBuilderForField(field).build(), random, depth + 1);
            case BYTES -> ByteString.copyFrom(bytes);
            case STRING -> new String(bytes, UTF_8);
            case BOOL -> random.nextBoolean();
            case UINT32 -> random.nextInt();
            case UINT64 -> random.nextLong();
            case FLOAT -> Float.intBitsToFloat(random.nextInt() & ~(1 << 22)); // quiet NaNs have one form in JSON
            case ENUM -> {
                List<?> values = field.getEnumType().getValues();
                yield values.get(random.nextInt(values.size()));
            }
            default -> throw new AssertionError("no request has had a " + field.getType());
        };
    }
}
