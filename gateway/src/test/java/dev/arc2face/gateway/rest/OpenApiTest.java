package dev.arc2face.gateway.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.arc2face.v1.PortraitServiceProto;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The OpenAPI document says what the routes and the descriptors say, and says it in words. */
class OpenApiTest {
    private final JsonObject document =
            JsonParser.parseString(OpenApi.document("1")).getAsJsonObject();

    @Test
    void everyRouteIsThereAndNoOther() {
        assertThat(document.getAsJsonObject("paths").entrySet().stream()
                        .flatMap(path -> path.getValue().getAsJsonObject().keySet().stream()
                                .map(method -> method.toUpperCase(Locale.ROOT) + " " + path.getKey())))
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(Endpoint.values())
                        .map(endpoint -> endpoint.method() + " " + endpoint.path())
                        .toList());
    }

    @Test
    void everyMessageOfTheServiceIsDescribedFieldByField() {
        Map<String, Descriptor> messages = PortraitServiceProto.getDescriptor().getMessageTypes().stream()
                .collect(Collectors.toMap(Descriptor::getName, message -> message));
        // What no body is: a path, or nothing at all.
        List<String> withoutBody = List.of("CancelGenerationRequest", "GetModelInfoRequest");
        JsonObject schemas = document.getAsJsonObject("components").getAsJsonObject("schemas");
        messages.keySet().removeAll(withoutBody);
        assertThat(schemas.keySet()).containsAll(messages.keySet());
        messages.forEach((name, message) -> {
            JsonObject schema = schemas.getAsJsonObject(name);
            assertThat(schema.get("description").getAsString()).as(name).isNotEmpty();
            assertThat(schema.getAsJsonObject("properties").keySet())
                    .containsExactlyElementsOf(message.getFields().stream()
                            .map(FieldDescriptor::getJsonName)
                            .toList());
            for (FieldDescriptor field : message.getFields()) {
                JsonElement description = schema.getAsJsonObject("properties")
                        .getAsJsonObject(field.getJsonName())
                        .get("description");
                assertThat(description.getAsString()).as(field.getFullName()).isNotEmpty();
            }
        });
    }

    @Test
    void constraintsOfTheProtoAreThere() {
        JsonObject request = document.getAsJsonObject("components")
                .getAsJsonObject("schemas")
                .getAsJsonObject("GenerateRequest");
        assertThat(request.getAsJsonArray("required").toString()).isEqualTo("[\"identity\"]");
        JsonObject steps = request.getAsJsonObject("properties").getAsJsonObject("steps");
        assertThat(steps.get("minimum").getAsInt()).isEqualTo(1);
        assertThat(steps.get("maximum").getAsInt()).isEqualTo(100);
        assertThat(steps.get("description").getAsString()).startsWith("Denoising steps, 1 to 100");
    }
}
