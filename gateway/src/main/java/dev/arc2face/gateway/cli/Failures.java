package dev.arc2face.gateway.cli;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Turns a failed call into one sentence and an exit code: what is wrong, the reason's name, what to do. */
final class Failures {
    private Failures() {}

    /**
     * Explains a failed call.
     *
     * @param target the server's address, for the sentence
     */
    static CommandFailure explain(StatusRuntimeException failure, String target) {
        Status status = failure.getStatus();
        Details details = Details.of(failure);
        if (details.reason().isEmpty() && status.getCode() == Status.Code.UNAVAILABLE) {
            return new CommandFailure(
                    ExitCode.UNAVAILABLE,
                    "no server answers at " + target + " [UNAVAILABLE]; start one with `make serve`, or name another"
                            + " with --target HOST:PORT");
        }
        if (details.reason().isEmpty() && status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
            return new CommandFailure(
                    ExitCode.DEADLINE,
                    "no answer within the deadline [DEADLINE_EXCEEDED]; allow more time with --deadline");
        }
        String reason = details.reason().orElse(status.getCode().name());
        String message = Optional.ofNullable(status.getDescription())
                .filter(text -> !text.isBlank())
                .orElse("the call failed");
        StringBuilder sentence =
                new StringBuilder(message).append(" [").append(reason).append(']');
        details.part().ifPresent(field -> sentence.append("; at ").append(field));
        details.otherViolations(message).ifPresent(text -> sentence.append("; ").append(text));
        advice(reason, details).ifPresent(text -> sentence.append("; ").append(text));
        return new CommandFailure(exitCode(status.getCode(), reason), sentence.toString());
    }

    /**
     * When a failed call is worth another try: after so long, or after no particular time where that is zero. Empty where it
     * would fail again.
     */
    static Optional<Duration> retry(StatusRuntimeException failure) {
        Optional<Duration> advised = Details.of(failure).retryAfter();
        return advised.isEmpty() && failure.getStatus().getCode() == Status.Code.UNAVAILABLE
                ? Optional.of(Duration.ZERO)
                : advised;
    }

    /** The code follows the canonical status, save where the reason says that the input is, or is not, to blame. */
    private static ExitCode exitCode(Status.Code code, String reason) {
        return switch (reason) {
            case "MODEL_CONTRACT_VIOLATED", "CLIENT_TOO_SLOW" -> ExitCode.OTHER;
            case "MESSAGE_TOO_LARGE" -> ExitCode.BAD_INPUT;
            case "DEADLINE_UNREACHABLE" -> ExitCode.DEADLINE;
            default ->
                switch (code) {
                    case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE, ALREADY_EXISTS -> ExitCode.BAD_INPUT;
                    case UNAVAILABLE -> ExitCode.UNAVAILABLE;
                    case DEADLINE_EXCEEDED -> ExitCode.DEADLINE;
                    case RESOURCE_EXHAUSTED -> ExitCode.BUSY;
                    case UNAUTHENTICATED, PERMISSION_DENIED -> ExitCode.FORBIDDEN;
                    default -> ExitCode.OTHER;
                };
        };
    }

    private static Optional<String> advice(String reason, Details details) {
        return switch (reason) {
            case "NO_FACE_DETECTED" -> Optional.of("take a photo that shows a face, larger and from the front");
            case "FACE_TOO_SMALL" -> Optional.of("take a larger photo, or name another face with --face-index");
            case "FACE_INDEX_OUT_OF_RANGE" -> Optional.of("`detect PHOTO` lists the faces");
            case "IMAGE_TOO_LARGE", "MESSAGE_TOO_LARGE" -> Optional.of("scale the photo down");
            case "IDENTITIES_DISAGREE" -> Optional.of("`compare FIRST SECOND` tells how similar two are");
            case "EMBEDDING_MODEL_MISMATCH" -> Optional.of("make the embedding again with `embed PHOTO --out FILE`");
            case "UNKNOWN_SCHEDULER" -> Optional.of("`info` lists the schedulers");
            case "UNKNOWN_VARIANT" -> Optional.of("`info` lists the variants");
            case "DEADLINE_UNREACHABLE" ->
                Optional.of("allow more time with --deadline"
                        + details.retryAfter()
                                .map(after -> ", or try again in " + wholeSeconds(after))
                                .orElse(""));
            case "DEADLINE_EXCEEDED" -> Optional.of("allow more time with --deadline");
            case "UNAUTHENTICATED" ->
                Optional.of("set ARC2FACE_API_KEY or ARC2FACE_TOKEN, or name a certificate with --tls-certificate");
            case "QUEUE_FULL",
                    "MODEL_SERVER_UNAVAILABLE",
                    "SHUTTING_DOWN",
                    "AUTHENTICATION_UNAVAILABLE",
                    "QUOTA_EXCEEDED",
                    "POLICY_UNAVAILABLE" ->
                Optional.of("try again "
                        + details.retryAfter()
                                .map(after -> "in " + wholeSeconds(after))
                                .orElse("later"));
            default -> Optional.empty();
        };
    }

    private static String wholeSeconds(Duration duration) {
        return duration.getSeconds() + (duration.getNano() > 0 ? 1 : 0) + " s";
    }

    /** The {@code google.rpc} details that a failure carries. */
    private record Details(
            Optional<String> reason, Optional<Duration> retryAfter, List<BadRequest.FieldViolation> violations) {
        static Details of(StatusRuntimeException failure) {
            Optional<String> reason = Optional.empty();
            Optional<Duration> retryAfter = Optional.empty();
            List<BadRequest.FieldViolation> violations = List.of();
            com.google.rpc.Status status = StatusProto.fromThrowable(failure);
            if (status == null) {
                return new Details(reason, retryAfter, violations);
            }
            for (Any detail : status.getDetailsList()) {
                try {
                    if (detail.is(ErrorInfo.class)) {
                        reason = Optional.of(detail.unpack(ErrorInfo.class).getReason());
                    } else if (detail.is(RetryInfo.class)) {
                        retryAfter = Optional.of(
                                Durations.of(detail.unpack(RetryInfo.class).getRetryDelay()));
                    } else if (detail.is(BadRequest.class)) {
                        violations = detail.unpack(BadRequest.class).getFieldViolationsList();
                    }
                } catch (InvalidProtocolBufferException broken) {
                    // A detail that cannot be read says nothing; the status itself still does.
                }
            }
            return new Details(reason, retryAfter, violations);
        }

        /** Which of several sources is to blame. */
        Optional<String> part() {
            return violations.stream()
                    .map(BadRequest.FieldViolation::getField)
                    .filter(field -> field.contains(".sources[") || field.contains(".interpolation."))
                    .findFirst();
        }

        /** The violations that the message does not mention already. */
        Optional<String> otherViolations(String message) {
            return Optional.of(violations.stream()
                            .filter(violation -> !message.contains(violation.getDescription()))
                            .map(violation -> violation.getField() + ": " + violation.getDescription())
                            .collect(Collectors.joining("; ")))
                    .filter(text -> !text.isEmpty());
        }
    }
}
