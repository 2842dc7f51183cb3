package dev.arc2face.gateway.rest;

import static java.util.Objects.requireNonNull;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import io.grpc.Metadata;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Why a call failed, as RFC 9457 has it: what {@code google.rpc.Status} tells gRPC's callers.
 *
 * @param status of HTTP
 * @param detail what is wrong with this call
 * @param metadata as {@code errors.proto} documents it for the reason
 * @param violations the fields at fault, by their names in JSON
 * @param retryAfterSeconds when trying again makes sense, where it does
 */
record Problem(
        int status,
        ErrorReason reason,
        String detail,
        Map<String, String> metadata,
        List<FieldViolation> violations,
        OptionalLong retryAfterSeconds) {
    static final String MEDIA_TYPE = "application/problem+json";
    static final String TYPE_PREFIX = "https://arc2face.dev/errors/";

    /** One that the service knows nothing of. */
    static Problem of(int status, ErrorReason reason, String detail) {
        return new Problem(status, reason, detail, Map.of(), List.of(), OptionalLong.empty());
    }

    /** One that is found before there is a call. */
    static Problem of(FailureException failure) {
        return new Problem(
                HttpStatus.of(failure.reason()),
                failure.reason(),
                failure.message(),
                failure.metadata(),
                failure.violations(),
                OptionalLong.empty());
    }

    /** The end of a call that has not ended well. */
    static Problem of(io.grpc.Status ended, Metadata trailers) {
        com.google.rpc.Status proto = requireNonNull(StatusProto.fromStatusAndTrailers(ended, trailers));
        ErrorReason reason = ErrorReason.INTERNAL;
        Map<String, String> metadata = Map.of();
        List<FieldViolation> violations = new ArrayList<>();
        OptionalLong retryAfter = OptionalLong.empty();
        try {
            for (Any detail : proto.getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    ErrorInfo info = detail.unpack(ErrorInfo.class);
                    reason = ErrorReason.valueOf(info.getReason());
                    metadata = info.getMetadataMap();
                } else if (detail.is(BadRequest.class)) {
                    for (BadRequest.FieldViolation violation :
                            detail.unpack(BadRequest.class).getFieldViolationsList()) {
                        violations.add(
                                new FieldViolation(FieldPath.inJson(violation.getField()), violation.getDescription()));
                    }
                } else if (detail.is(RetryInfo.class)) {
                    long millis =
                            Durations.toMillis(detail.unpack(RetryInfo.class).getRetryDelay());
                    retryAfter = OptionalLong.of(Math.max(1, (millis + 999) / 1000));
                }
            }
        } catch (InvalidProtocolBufferException ours) {
            throw new IllegalStateException(ours);
        }
        return new Problem(HttpStatus.of(reason), reason, proto.getMessage(), metadata, violations, retryAfter);
    }

    /** One line. */
    String json() {
        JsonObject json = new JsonObject();
        json.addProperty("type", TYPE_PREFIX + reason.name());
        json.addProperty("title", title(reason));
        json.addProperty("status", status);
        json.addProperty("detail", detail);
        json.addProperty("reason", reason.name());
        JsonObject more = new JsonObject();
        metadata.forEach(more::addProperty);
        json.add("metadata", more);
        JsonArray fields = new JsonArray();
        for (FieldViolation violation : violations) {
            JsonObject field = new JsonObject();
            field.addProperty("field", violation.field());
            field.addProperty("description", violation.description());
            fields.add(field);
        }
        json.add("violations", fields);
        retryAfterSeconds.ifPresent(seconds -> json.addProperty("retryAfterSeconds", seconds));
        return json.toString();
    }

    /** NO_FACE_DETECTED is "No face detected". */
    private static String title(ErrorReason reason) {
        String words = reason.name().replace('_', ' ').toLowerCase(Locale.ROOT);
        return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
    }
}
