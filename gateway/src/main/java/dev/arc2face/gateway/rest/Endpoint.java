package dev.arc2face.gateway.rest;

import com.google.protobuf.Message;
import dev.arc2face.v1.CancelGenerationResponse;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.CompareFacesResponse;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.DetectFacesResponse;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.EmbedFaceResponse;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What there is to call over HTTP: the routes, and what the OpenAPI document says of them. */
enum Endpoint {
    BEGIN_GENERATION(
            "POST",
            "/v1/generations",
            "Begins a generation. It goes on by itself; listen to it at the address in Location.",
            GenerateRequest.getDefaultInstance(),
            GenerateResponse.getDefaultInstance(),
            Reply.JSON),
    GET_GENERATION(
            "GET",
            "/v1/generations/{requestId}",
            "The latest event of a generation, but for previews; or why it failed.",
            null,
            GenerateResponse.getDefaultInstance(),
            Reply.JSON),
    LISTEN_TO_GENERATION(
            "GET",
            "/v1/generations/{requestId}/events",
            "The events of a generation as they happen, and those that have happened: server-sent events.",
            null,
            GenerateResponse.getDefaultInstance(),
            EventStream.MEDIA_TYPE),
    GET_PORTRAIT(
            "GET",
            "/v1/generations/{requestId}/images/{imageIndex}",
            "A finished portrait, while its generation is held.",
            null,
            null,
            "image/*"),
    CANCEL_GENERATION(
            "DELETE",
            "/v1/generations/{requestId}",
            "Ends a generation that waits or runs, or forgets its result.",
            null,
            CancelGenerationResponse.getDefaultInstance(),
            Reply.JSON),
    DETECT_FACES(
            "POST",
            "/v1/faces:detect",
            "Finds the faces in a photo. A photo without a face is an empty list, not an error.",
            DetectFacesRequest.getDefaultInstance(),
            DetectFacesResponse.getDefaultInstance(),
            Reply.JSON),
    EMBED_FACE(
            "POST",
            "/v1/faces:embed",
            "Computes the identity embedding of one face.",
            EmbedFaceRequest.getDefaultInstance(),
            EmbedFaceResponse.getDefaultInstance(),
            Reply.JSON),
    COMPARE_FACES(
            "POST",
            "/v1/faces:compare",
            "Compares two identities by the cosine of their embeddings.",
            CompareFacesRequest.getDefaultInstance(),
            CompareFacesResponse.getDefaultInstance(),
            Reply.JSON),
    GET_MODEL_INFO(
            "GET",
            "/v1/model",
            "Describes what is served: profile, sizes, variants, schedulers, limits, defaults.",
            null,
            GetModelInfoResponse.getDefaultInstance(),
            Reply.JSON);

    static final String REQUEST_ID = "requestId";
    static final String IMAGE_INDEX = "imageIndex";

    private final String method;
    private final String path;
    private final String summary;
    private final Optional<Message> request;
    private final Optional<Message> response;
    private final String mediaType;
    private final Pattern pattern;

    Endpoint(
            String method,
            String path,
            String summary,
            @Nullable Message request,
            @Nullable Message response,
            String mediaType) {
        this.method = method;
        this.path = path;
        this.summary = summary;
        this.request = Optional.ofNullable(request);
        this.response = Optional.ofNullable(response);
        this.mediaType = mediaType;
        this.pattern = Pattern.compile(path.replace("{" + REQUEST_ID + "}", "(?<requestId>[A-Za-z0-9._-]{1,64})")
                .replace("{" + IMAGE_INDEX + "}", "(?<imageIndex>[0-9]{1,3})"));
    }

    /** Those with that path, whatever the method. */
    static List<Endpoint> at(String path) {
        return Arrays.stream(values())
                .filter(endpoint -> endpoint.pattern.matcher(path).matches())
                .toList();
    }

    /** What the path says in the place of one of its parameters. */
    String parameter(String name, String inPath) {
        Matcher matcher = pattern.matcher(inPath);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a path of " + this);
        }
        return matcher.group(name);
    }

    /** The names of the path's parameters. */
    Stream<String> parameters() {
        return Stream.of(REQUEST_ID, IMAGE_INDEX).filter(name -> path.contains("{" + name + "}"));
    }

    /** For those who make clients of the document: getGeneration. */
    String operationId() {
        return FieldPath.inJson(name().toLowerCase(Locale.ROOT));
    }

    String method() {
        return method;
    }

    String path() {
        return path;
    }

    String summary() {
        return summary;
    }

    /** The message that the body is, where there is a body. */
    Optional<Message> request() {
        return request;
    }

    /** The message that the answer is, or each of its events; a picture is none. */
    Optional<Message> response() {
        return response;
    }

    /** Of the answer. */
    String mediaType() {
        return mediaType;
    }
}
