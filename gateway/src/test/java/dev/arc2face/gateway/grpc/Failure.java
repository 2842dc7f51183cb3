package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.ErrorReason;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A failed call as its caller sees it. */
record Failure(io.grpc.Status.Code code, String message, com.google.rpc.Status status) {
    /** The failure of a call that must fail. */
    static Failure of(ThrowingCallable call) {
        return of(catchThrowableOfType(StatusRuntimeException.class, call));
    }

    static Failure of(Throwable thrown) {
        assertThat(thrown).isInstanceOf(StatusRuntimeException.class);
        com.google.rpc.Status status = StatusProto.fromThrowable(thrown);
        assertThat(status).isNotNull();
        return new Failure(((StatusRuntimeException) thrown).getStatus().getCode(), status.getMessage(), status);
    }

    /** Checks the code and the reason, which must agree, and that there are the details that go with them. */
    Failure isFor(ErrorReason reason) {
        assertThat(info().getDomain()).isEqualTo("arc2face.dev");
        assertThat(info().getReason()).isEqualTo(reason.name());
        assertThat(code).isEqualTo(reason.code());
        assertThat(detail(BadRequest.class).isPresent())
                .as("BadRequest goes with INVALID_ARGUMENT")
                .isEqualTo(reason.code() == io.grpc.Status.Code.INVALID_ARGUMENT);
        // Whether DEADLINE_UNREACHABLE may be tried again depends on the request.
        assertThat(reason != ErrorReason.DEADLINE_UNREACHABLE
                        && detail(RetryInfo.class).isPresent())
                .as("RetryInfo goes with what may be tried again")
                .isEqualTo(reason == ErrorReason.QUEUE_FULL
                        || reason == ErrorReason.QUOTA_EXCEEDED
                        || reason.code() == io.grpc.Status.Code.UNAVAILABLE);
        assertThat(detail(QuotaFailure.class).isPresent())
                .as("QuotaFailure goes with QUOTA_EXCEEDED")
                .isEqualTo(reason == ErrorReason.QUOTA_EXCEEDED);
        return this;
    }

    ErrorInfo info() {
        return detail(ErrorInfo.class).orElseThrow(() -> new AssertionError("no ErrorInfo in " + status));
    }

    Map<String, String> metadata() {
        return info().getMetadataMap();
    }

    /** Paths of the fields that are at fault. */
    List<String> fields() {
        return detail(BadRequest.class).orElseThrow().getFieldViolationsList().stream()
                .map(BadRequest.FieldViolation::getField)
                .toList();
    }

    <M extends Message> Optional<M> detail(Class<M> type) {
        for (Any detail : status.getDetailsList()) {
            if (detail.is(type)) {
                try {
                    return Optional.of(detail.unpack(type));
                } catch (InvalidProtocolBufferException broken) {
                    throw new AssertionError(broken);
                }
            }
        }
        return Optional.empty();
    }
}
