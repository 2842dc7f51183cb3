package dev.arc2face.gateway;

import static java.util.Objects.requireNonNull;

import io.grpc.Status;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A failure that the caller is told about. Its message says what to do and holds no biometric data; it is turned into
 * a gRPC status in one place only, the outermost interceptor. Who is turned away for want of room or of credentials gets
 * no stack trace: it is no defect, and thousands a second must cost nothing.
 */
public final class FailureException extends RuntimeException {
    private static final Set<Status.Code> TURNED_AWAY =
            EnumSet.of(Status.Code.RESOURCE_EXHAUSTED, Status.Code.UNAUTHENTICATED, Status.Code.PERMISSION_DENIED);

    private final ErrorReason reason;
    private final Map<String, String> metadata;
    private final List<FieldViolation> violations;
    private final Optional<Duration> retryAfter;

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
            Optional<Duration> retryAfter,
            @Nullable Throwable cause) {
        super(message, cause, true, !TURNED_AWAY.contains(reason.code()));
        this.reason = requireNonNull(reason);
        this.metadata = Map.copyOf(metadata);
        this.violations = List.copyOf(violations);
        this.retryAfter = retryAfter;
    }

    /** A failure with the metadata that {@code errors.proto} documents for its reason. */
    public static FailureException of(ErrorReason reason, String message, Map<String, String> metadata) {
        return new FailureException(reason, message, metadata, List.of(), Optional.empty(), null);
    }

    /** A failure without metadata. */
    public static FailureException of(ErrorReason reason, String message) {
        return of(reason, message, Map.of());
    }

    /** A failure whose cause goes to the log, never to the caller. */
    public static FailureException causedBy(Throwable cause, ErrorReason reason, String message) {
        return new FailureException(reason, message, Map.of(), List.of(), Optional.empty(), cause);
    }

    /**
     * A caller who has all that one may have of something.
     *
     * @param quota its name, as {@code QuotaFailure} tells it
     */
    public static FailureException overQuota(String quota, int limit, String message) {
        return of(ErrorReason.QUOTA_EXCEEDED, message, Map.of("quota", quota, "limit", Integer.toString(limit)));
    }

    /**
     * The same failure, pointing at the field of the request that caused it; one that points at a field already points at
     * that one inside of this.
     */
    public FailureException at(String field) {
        List<FieldViolation> there = violations.isEmpty()
                ? List.of(new FieldViolation(field, message()))
                : violations.stream()
                        .map(inner -> new FieldViolation(field + "." + inner.field(), inner.description()))
                        .toList();
        return new FailureException(reason, message(), metadata, there, retryAfter, getCause());
    }

    /** The same failure: where what the caller sent is to blame, pointing at the field with it. */
    public FailureException blamedOn(String field) {
        return reason.code() == Status.Code.INVALID_ARGUMENT ? at(field) : this;
    }

    /** Does what may fail because of a field, and has the failure {@link #blamedOn} it. */
    public static <T> T blaming(String field, Supplier<T> work) {
        try {
            return work.get();
        } catch (FailureException failure) {
            throw failure.blamedOn(field);
        }
    }

    /** A request that breaks constraints of the API. */
    public static FailureException invalid(List<FieldViolation> violations) {
        String first = violations.stream()
                .findFirst()
                .map(violation -> violation.field().isEmpty()
                        ? violation.description()
                        : violation.field() + ": " + violation.description())
                .orElse("the request is invalid");
        return new FailureException(ErrorReason.INVALID_REQUEST, first, Map.of(), violations, Optional.empty(), null);
    }

    /** The same failure, with the time after which trying again makes sense. */
    public FailureException retryAfter(Duration delay) {
        return new FailureException(reason, message(), metadata, violations, Optional.of(delay), getCause());
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

    /** When to try again, where somebody knows. */
    public Optional<Duration> retryAfter() {
        return retryAfter;
    }
}
