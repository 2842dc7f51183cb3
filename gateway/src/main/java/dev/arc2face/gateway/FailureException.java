package dev.arc2face.gateway;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A failure that the caller is told about. Its message says what to do and holds no biometric data; it is turned into
 * a gRPC status in one place only, the outermost interceptor.
 */
public final class FailureException extends RuntimeException {
    private final ErrorReason reason;
    private final Map<String, String> metadata;
    private final List<FieldViolation> violations;

    /**
     * A field of the request and what is wrong with it.
     *
     * @param field path in the request, such as {@code identity.photo}
     * @param description what is wrong and what would be right
     */
    public record FieldViolation(String field, String description) {}

    private FailureException(
            ErrorReason reason,
            String message,
            Map<String, String> metadata,
            List<FieldViolation> violations,
            @Nullable Throwable cause) {
        super(message, cause);
        this.reason = requireNonNull(reason);
        this.metadata = Map.copyOf(metadata);
        this.violations = List.copyOf(violations);
    }

    /** A failure with the metadata that {@code errors.proto} documents for its reason. */
    public static FailureException of(ErrorReason reason, String message, Map<String, String> metadata) {
        return new FailureException(reason, message, metadata, List.of(), null);
    }

    /** A failure without metadata. */
    public static FailureException of(ErrorReason reason, String message) {
        return of(reason, message, Map.of());
    }

    /** A failure whose cause goes to the log, never to the caller. */
    public static FailureException causedBy(Throwable cause, ErrorReason reason, String message) {
        return new FailureException(reason, message, Map.of(), List.of(), cause);
    }

    /** The same failure, pointing at the field of the request that caused it. */
    public FailureException at(String field) {
        return new FailureException(
                reason, message(), metadata, List.of(new FieldViolation(field, message())), getCause());
    }

    /** A request that breaks constraints of the API. */
    public static FailureException invalid(List<FieldViolation> violations) {
        String first = violations.isEmpty()
                ? "the request is invalid"
                : violations.get(0).field() + ": " + violations.get(0).description();
        return new FailureException(ErrorReason.INVALID_REQUEST, first, Map.of(), violations, null);
    }

    public ErrorReason reason() {
        return reason;
    }

    /** The message for the caller. */
    public String message() {
        return requireNonNull(getMessage());
    }

    public Map<String, String> metadata() {
        return metadata;
    }

    public List<FieldViolation> violations() {
        return violations;
    }
}
