package dev.arc2face.gateway.rest;

import static dev.arc2face.gateway.rest.Schemas.reference;
import static dev.arc2face.gateway.rest.Schemas.string;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.Message;
import dev.arc2face.gateway.ErrorReason;
import java.util.Arrays;
import java.util.Locale;

/**
 * The OpenAPI document of what is served over HTTP. It is made of the routes and of the descriptors of the messages, so
 * that it cannot say anything else than they do.
 */
final class OpenApi {
    private static final String PROTO = "proto/arc2face/v1/portrait_service.proto";
    private static final String PROBLEM = "Problem";

    private final Schemas schemas = new Schemas(new ProtoComments(PROTO));

    private OpenApi() {}

    /** @param version of the gateway */
    static String document(String version) {
        return new OpenApi().make(version).toString();
    }

    private JsonObject make(String version) {
        JsonObject document = string("openapi", "3.1.0");
        JsonObject info = string(
                "title",
                "Arc2Face model server",
                "version",
                version,
                "description",
                "Portraits of a person from that person's identity embedding. The messages are those of the"
                        + " gRPC service arc2face.v1.PortraitService in protobuf's JSON.");
        info.add("license", string("name", "Apache-2.0", "identifier", "Apache-2.0"));
        document.add("info", info);
        document.add("servers", array(string("url", "/")));
        document.add("security", security());
        document.add("paths", paths());
        JsonObject components = new JsonObject();
        JsonObject all = schemas.all();
        all.add(PROBLEM, problem());
        components.add("schemas", all);
        components.add("securitySchemes", schemes());
        document.add("components", components);
        return document;
    }

    private JsonObject paths() {
        JsonObject paths = new JsonObject();
        for (Endpoint endpoint : Endpoint.values()) {
            if (!paths.has(endpoint.path())) {
                paths.add(endpoint.path(), new JsonObject());
            }
            paths.getAsJsonObject(endpoint.path()).add(endpoint.method().toLowerCase(Locale.ROOT), operation(endpoint));
        }
        return paths;
    }

    private JsonObject operation(Endpoint endpoint) {
        JsonObject operation = string("operationId", endpoint.operationId(), "summary", endpoint.summary());
        JsonArray parameters = new JsonArray();
        endpoint.parameters().forEach(name -> parameters.add(inPath(name)));
        if (endpoint == Endpoint.GET_GENERATION || endpoint == Endpoint.LISTEN_TO_GENERATION) {
            parameters.add(parameter(
                    "query",
                    RestApi.IMAGE_DATA,
                    "Whether events of finished portraits have their bytes, which have an address as well.",
                    string("type", "boolean")));
        }
        if (endpoint == Endpoint.LISTEN_TO_GENERATION) {
            String meaning = "The id of the last event that was seen: what comes after it is sent.";
            parameters.add(parameter("query", RestApi.AFTER_SEQUENCE, meaning, string("type", "string")));
            parameters.add(parameter("header", RestApi.LAST_EVENT_ID, meaning, string("type", "string")));
        }
        if (!parameters.isEmpty()) {
            operation.add("parameters", parameters);
        }
        endpoint.request().ifPresent(request -> operation.add("requestBody", body(request)));
        operation.add("responses", responses(endpoint));
        return operation;
    }

    private static JsonObject inPath(String name) {
        JsonObject schema = name.equals(Endpoint.REQUEST_ID)
                ? string("type", "string", "pattern", "^[A-Za-z0-9._-]{1,64}$")
                : string("type", "integer");
        String meaning = name.equals(Endpoint.REQUEST_ID)
                ? "The caller's name for the generation, or the one that the server picked."
                : "Which of its portraits, from 0.";
        JsonObject parameter = parameter("path", name, meaning, schema);
        parameter.addProperty("required", true);
        return parameter;
    }

    private static JsonObject parameter(String in, String name, String description, JsonObject schema) {
        JsonObject parameter = string("in", in, "name", name, "description", description);
        parameter.add("schema", schema);
        return parameter;
    }

    private JsonObject body(Message request) {
        JsonObject form = string("type", "object");
        JsonObject parts = new JsonObject();
        parts.add("request", schemas.reference(request.getDescriptorForType()));
        form.add("properties", parts);
        JsonObject bytes = string(
                "type", "string",
                "contentMediaType", "application/octet-stream",
                "description",
                        "The bytes of the field of the request that the part is named after:"
                                + " identity.photo, identity.average.sources[0].photo.");
        form.add("additionalProperties", bytes);
        JsonObject encoding = new JsonObject();
        encoding.add("request", string("contentType", Reply.JSON));
        JsonObject multipart = new JsonObject();
        multipart.add("schema", form);
        multipart.add("encoding", encoding);

        JsonObject content = content(Reply.JSON, schemas.reference(request.getDescriptorForType()));
        content.add("multipart/form-data", multipart);
        JsonObject body = new JsonObject();
        body.addProperty("required", true);
        body.add("content", content);
        return body;
    }

    private JsonObject responses(Endpoint endpoint) {
        JsonObject responses = new JsonObject();
        JsonObject schema = endpoint.mediaType().equals(Reply.JSON)
                ? schemas.reference(endpoint.response().orElseThrow().getDescriptorForType())
                : string("type", "string", "description", shape(endpoint));
        JsonObject well = string("description", "Success.");
        well.add("content", content(endpoint.mediaType(), schema));
        if (endpoint == Endpoint.BEGIN_GENERATION) {
            JsonObject location = string("description", "Where the generation is.");
            location.add("schema", string("type", "string"));
            JsonObject headers = new JsonObject();
            headers.add("Location", location);
            well.add("headers", headers);
        }
        responses.add(
                Integer.toString(endpoint == Endpoint.BEGIN_GENERATION ? HttpStatus.ACCEPTED : HttpStatus.OK), well);
        if (endpoint == Endpoint.LISTEN_TO_GENERATION) {
            responses.add(
                    Integer.toString(HttpStatus.NO_CONTENT),
                    string(
                            "description",
                            "The generation has ended, and there is nothing after the event that was seen."));
        }
        if (endpoint == Endpoint.GET_PORTRAIT) {
            responses.add(
                    Integer.toString(HttpStatus.NOT_MODIFIED),
                    string("description", "It is what If-None-Match names."));
        }
        JsonObject failed = string("description", "Failure; the reason says why.");
        failed.add("content", content(Problem.MEDIA_TYPE, reference(PROBLEM)));
        responses.add("default", failed);
        return responses;
    }

    private static String shape(Endpoint endpoint) {
        return endpoint == Endpoint.LISTEN_TO_GENERATION
                ? "Server-sent events: id is the sequence, event what happened (accepted, queued, faceReport,"
                        + " stepProgress, preview, image, completed), data a GenerateResponse. A failure is the event"
                        + " error, whose data is a Problem, and the last one."
                : "The file.";
    }

    private static JsonObject content(String mediaType, JsonObject schema) {
        JsonObject media = new JsonObject();
        media.add("schema", schema);
        JsonObject content = new JsonObject();
        content.add(mediaType, media);
        return content;
    }

    private static JsonObject problem() {
        JsonArray reasons = new JsonArray();
        Arrays.stream(ErrorReason.values()).map(Enum::name).forEach(reasons::add);
        JsonObject reason = string("type", "string", "description", "As google.rpc.ErrorInfo has it.");
        reason.add("enum", reasons);
        JsonObject metadata = string("type", "object", "description", "As errors.proto documents it for the reason.");
        metadata.add("additionalProperties", string("type", "string"));
        JsonObject violation = string("type", "object");
        JsonObject ofViolation = new JsonObject();
        ofViolation.add("field", string("type", "string", "description", "Its path, by names in JSON."));
        ofViolation.add("description", string("type", "string"));
        violation.add("properties", ofViolation);
        JsonObject violations = string("type", "array", "description", "The fields at fault.");
        violations.add("items", violation);
        JsonObject properties = new JsonObject();
        properties.add("type", string("type", "string", "format", "uri"));
        properties.add("title", string("type", "string"));
        properties.add("status", string("type", "integer"));
        properties.add("detail", string("type", "string", "description", "What is wrong with this call."));
        properties.add("reason", reason);
        properties.add("metadata", metadata);
        properties.add("violations", violations);
        properties.add(
                "retryAfterSeconds",
                string("type", "integer", "description", "When trying again makes sense, where it does."));
        JsonObject problem = string("type", "object", "description", "Why a call failed (RFC 9457).");
        problem.add("properties", properties);
        JsonArray required = new JsonArray();
        properties.keySet().stream()
                .filter(name -> !name.equals("retryAfterSeconds"))
                .forEach(required::add);
        problem.add("required", required);
        return problem;
    }

    private static JsonArray security() {
        JsonArray security = new JsonArray();
        security.add(new JsonObject()); // where nobody is asked
        for (String scheme : schemes().keySet()) {
            JsonObject requirement = new JsonObject();
            requirement.add(scheme, new JsonArray());
            security.add(requirement);
        }
        return security;
    }

    private static JsonObject schemes() {
        JsonObject schemes = new JsonObject();
        schemes.add("apiKey", string("type", "apiKey", "in", "header", "name", "x-api-key"));
        schemes.add("token", string("type", "http", "scheme", "bearer"));
        return schemes;
    }

    private static JsonArray array(JsonObject only) {
        JsonArray array = new JsonArray();
        array.add(only);
        return array;
    }
}
