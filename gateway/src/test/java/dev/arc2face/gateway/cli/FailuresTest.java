package dev.arc2face.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.ErrorReason;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FailuresTest {
    private static final String TARGET = "127.0.0.1:9090";

    private static CommandFailure explain(ErrorReason reason, String message, Message... details) {
        com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder()
                .setCode(reason.code().value())
                .setMessage(message)
                .addDetails(Any.pack(ErrorInfo.newBuilder()
                        .setDomain("arc2face.dev")
                        .setReason(reason.name())
                        .build()));
        List.of(details).forEach(detail -> status.addDetails(Any.pack(detail)));
        return Failures.explain(StatusProto.toStatusRuntimeException(status.build()), TARGET);
    }

    @ParameterizedTest
    @EnumSource(ErrorReason.class)
    void everyReasonIsNamedAndHasAnExitCode(ErrorReason reason) {
        CommandFailure failure = explain(reason, "what happened");
        assertThat(failure.message())
                .startsWith("what happened [" + reason + "]")
                .doesNotContain("\n");
        assertThat(failure.exitCode())
                .isEqualTo(
                        switch (reason) {
                            case INVALID_REQUEST,
                                    IMAGE_DECODE_FAILED,
                                    IMAGE_TOO_LARGE,
                                    UNSUPPORTED_IMAGE_FORMAT,
                                    NO_FACE_DETECTED,
                                    FACE_TOO_SMALL,
                                    FACE_INDEX_OUT_OF_RANGE,
                                    EMBEDDING_INVALID,
                                    EMBEDDING_MODEL_MISMATCH,
                                    UNKNOWN_SCHEDULER,
                                    UNKNOWN_VARIANT,
                                    REQUEST_ID_CONFLICT,
                                    IDENTITIES_DISAGREE,
                                    MESSAGE_TOO_LARGE -> ExitCode.BAD_INPUT;
                            case QUEUE_FULL, QUOTA_EXCEEDED -> ExitCode.BUSY;
                            case UNAUTHENTICATED, PERMISSION_DENIED, POLICY_REFUSED -> ExitCode.FORBIDDEN;
                            case MODEL_SERVER_UNAVAILABLE,
                                    SHUTTING_DOWN,
                                    AUTHENTICATION_UNAVAILABLE,
                                    POLICY_UNAVAILABLE -> ExitCode.UNAVAILABLE;
                            case DEADLINE_EXCEEDED, DEADLINE_UNREACHABLE -> ExitCode.DEADLINE;
                            case MODEL_CONTRACT_VIOLATED,
                                    CLIENT_TOO_SLOW,
                                    CANCELLED,
                                    INTERNAL,
                                    UNIMPLEMENTED,
                                    GENERATION_NOT_FOUND -> ExitCode.OTHER;
                        });
    }

    @Test
    void aBusyServerSaysWhenToTryAgain() {
        RetryInfo retry = RetryInfo.newBuilder()
                .setRetryDelay(Duration.newBuilder().setSeconds(2).setNanos(1))
                .build();
        assertThat(explain(ErrorReason.QUEUE_FULL, "all places are taken", retry)
                        .message())
                .isEqualTo("all places are taken [QUEUE_FULL]; try again in 3 s");
    }

    @Test
    void deadlineThatIsTooSoonMayBeMovedOrTriedLater() {
        RetryInfo retry = RetryInfo.newBuilder()
                .setRetryDelay(Duration.newBuilder().setSeconds(7))
                .build();
        assertThat(explain(ErrorReason.DEADLINE_UNREACHABLE, "too late", retry).message())
                .isEqualTo("too late [DEADLINE_UNREACHABLE]; allow more time with --deadline, or try again in 7 s");
        assertThat(explain(ErrorReason.DEADLINE_UNREACHABLE, "too late").message())
                .isEqualTo("too late [DEADLINE_UNREACHABLE]; allow more time with --deadline");
    }

    @Test
    void everyFieldViolationIsTold() {
        BadRequest violations = BadRequest.newBuilder()
                .addFieldViolations(
                        BadRequest.FieldViolation.newBuilder().setField("steps").setDescription("at most 100"))
                .addFieldViolations(BadRequest.FieldViolation.newBuilder()
                        .setField("num_images")
                        .setDescription("at least 1"))
                .build();
        assertThat(explain(ErrorReason.INVALID_REQUEST, "steps: at most 100", violations)
                        .message())
                .isEqualTo("steps: at most 100 [INVALID_REQUEST]; num_images: at least 1");
    }

    @Test
    void anUnreachableServerIsNamed() {
        CommandFailure failure = Failures.explain(
                Status.UNAVAILABLE.withDescription("io exception").asRuntimeException(), TARGET);
        assertThat(failure.message())
                .startsWith("no server answers at " + TARGET)
                .contains("--target");
        assertThat(failure.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
    }

    @Test
    void aDeadlineThatPassedHereSaysHowToAllowMore() {
        CommandFailure failure = Failures.explain(
                Status.DEADLINE_EXCEEDED
                        .withDescription("CallOptions deadline exceeded after 0.1s")
                        .asRuntimeException(),
                TARGET);
        assertThat(failure.message()).contains("--deadline");
        assertThat(failure.exitCode()).isEqualTo(ExitCode.DEADLINE);
    }
}
