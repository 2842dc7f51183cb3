package dev.arc2face.gateway.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jboss.logging.Logger;

/**
 * Turns whatever was thrown into the status that the API documents: a canonical code with {@code google.rpc} details.
 * The caller learns a reason and what to do; class names, stacks and causes stay in the log, under an id that an
 * {@code INTERNAL} error tells.
 */
final class ErrorStatus {
    static final String DOMAIN = "arc2face.dev";

    private static final Logger LOG = Logger.getLogger(ErrorStatus.class);

    private final Duration retryAfter;
    private final SecureRandom random = new SecureRandom();

    /** @param retryAfter what a caller is told to wait before it tries again where the failure does not say */
    ErrorStatus(Duration retryAfter) {
        this.retryAfter = retryAfter;
    }

    /**
     * The documented status for a throwable.
     *
     * @param method full name of the method that was called, for the log
     */
    StatusRuntimeException of(Throwable thrown, String method) {
        FailureException failure = failure(thrown);
        if (failure.reason() == ErrorReason.INTERNAL) {
            String id = newId();
            LOG.errorf(failure, "internal error %s in %s", id, method);
            return status(FailureException.of(
                    ErrorReason.INTERNAL, "internal error; the server's log has it as " + id, Map.of("id", id)));
        }
        boolean ours = failure.reason().code() == Status.Code.UNAVAILABLE
                || failure.reason().code() == Status.Code.FAILED_PRECONDITION;
        if (ours && failure.getCause() != null) {
            LOG.warnf(failure, "%s: %s", method, failure.reason());
        } else {
            LOG.debugf("%s: %s: %s", method, failure.reason(), failure.message());
        }
        return status(failure);
    }

    /**
     * What to end a call with so that {@link #of} gets this very throwable. grpc-java by itself takes the first status
     * among its causes, which is Triton's where Triton failed.
     */
    static StatusRuntimeException carrying(Throwable thrown) {
        return Status.UNKNOWN.withCause(thrown).asRuntimeException();
    }

    /** Whether a status already is one of ours. */
    static boolean isDocumented(Status status, Metadata trailers) {
        com.google.rpc.Status proto = StatusProto.fromStatusAndTrailers(status, trailers);
        return proto != null && proto.getDetailsList().stream().anyMatch(detail -> detail.is(ErrorInfo.class));
    }

    /** The reason that a documented status gives; empty where all is well, or the client has gone away. */
    static String reason(Status status, Metadata trailers) {
        com.google.rpc.Status proto = status.isOk() ? null : StatusProto.fromStatusAndTrailers(status, trailers);
        if (proto != null) {
            for (Any detail : proto.getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    try {
                        return detail.unpack(ErrorInfo.class).getReason();
                    } catch (InvalidProtocolBufferException ours) {
                        throw new IllegalStateException(ours);
                    }
                }
            }
        }
        return "";
    }

    private static FailureException failure(Throwable thrown) {
        if (thrown instanceof FailureException failure) {
            return failure;
        }
        if (thrown instanceof StatusRuntimeException exception) {
            return failure(exception.getStatus());
        }
        if (thrown instanceof StatusException exception) {
            return failure(exception.getStatus());
        }
        return FailureException.causedBy(thrown, ErrorReason.INTERNAL, "unexpected " + thrown.getClass());
    }

    /** A status that carries a throwable means that throwable; one that does not is grpc-java's own finding. */
    private static FailureException failure(Status status) {
        Throwable cause = status.getCause();
        if (cause instanceof InvalidProtocolBufferException) {
            return FailureException.invalid(List.of(new FieldViolation("", "not a message of this method")));
        }
        if (cause != null) {
            return failure(cause);
        }
        return switch (status.getCode()) {
            case CANCELLED -> FailureException.of(ErrorReason.CANCELLED, "the call was cancelled");
            case DEADLINE_EXCEEDED -> FailureException.of(ErrorReason.DEADLINE_EXCEEDED, "the call's deadline passed");
            case UNIMPLEMENTED -> FailureException.of(ErrorReason.UNIMPLEMENTED, "no such method");
            // ServerCalls says INTERNAL to a caller that sent no request or two.
            case INTERNAL -> FailureException.invalid(List.of(new FieldViolation("", "not exactly one message")));
            default ->
                FailureException.causedBy(status.asException(), ErrorReason.INTERNAL, "unexpected " + status.getCode());
        };
    }

    private StatusRuntimeException status(FailureException failure) {
        ErrorReason reason = failure.reason();
        com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder()
                .setCode(reason.code().value())
                .setMessage(failure.message())
                .addDetails(Any.pack(ErrorInfo.newBuilder()
                        .setDomain(DOMAIN)
                        .setReason(reason.name())
                        .putAllMetadata(failure.metadata())
                        .build()));
        if (reason.code() == Status.Code.INVALID_ARGUMENT) {
            status.addDetails(Any.pack(badRequest(failure)));
        }
        if (reason == ErrorReason.QUOTA_EXCEEDED) {
            status.addDetails(Any.pack(quotaFailure(failure)));
        }
        boolean mayPass = reason.code() == Status.Code.UNAVAILABLE
                || reason == ErrorReason.QUEUE_FULL
                || reason == ErrorReason.QUOTA_EXCEEDED;
        if (mayPass || failure.retryAfter().isPresent()) {
            status.addDetails(Any.pack(RetryInfo.newBuilder()
                    .setRetryDelay(Durations.fromMillis(
                            failure.retryAfter().orElse(retryAfter).toMillis()))
                    .build()));
        }
        return StatusProto.toStatusRuntimeException(status.build());
    }

    private static BadRequest badRequest(FailureException failure) {
        BadRequest.Builder badRequest = BadRequest.newBuilder();
        for (FieldViolation violation : failure.violations()) {
            badRequest
                    .addFieldViolationsBuilder()
                    .setField(violation.field())
                    .setDescription(violation.description())
                    .setReason(failure.reason().name());
        }
        return badRequest.build();
    }

    private static QuotaFailure quotaFailure(FailureException failure) {
        return QuotaFailure.newBuilder()
                .addViolations(
                        QuotaFailure.Violation.newBuilder().setSubject("caller").setDescription(failure.message()))
                .build();
    }

    private String newId() {
        byte[] id = new byte[6];
        random.nextBytes(id);
        return HexFormat.of().formatHex(id);
    }
}
