package dev.arc2face.loadtest.stream;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a call ended.
 *
 * @param outcome what it counts as
 * @param retryDelay what {@code RetryInfo} said, where there was one
 */
record Ending(Outcome outcome, @Nullable Duration retryDelay) {
    static final Ending OK = new Ending(new Outcome(Status.Code.OK, ""), null);
    static final Ending CANCELLED_BY_TESTER = new Ending(new Outcome(Status.Code.CANCELLED, "by the tester"), null);
    static final Ending CUT_OFF = new Ending(new Outcome(Status.Code.CANCELLED, "still open at the end"), null);

    /**
     * What calls are counted by.
     *
     * @param code the canonical gRPC code
     * @param reason {@code ErrorInfo}'s reason, empty where the server gave none
     */
    record Outcome(Status.Code code, String reason) implements Comparable<Outcome> {
        @Override
        public int compareTo(Outcome other) {
            return toString().compareTo(other.toString());
        }

        @Override
        public String toString() {
            return reason.isEmpty() ? code.name() : code + " " + reason;
        }
    }

    boolean ok() {
        return outcome.code() == Status.Code.OK;
    }

    /** Reads the {@code google.rpc} details of a failure. */
    static Ending of(Throwable failure) {
        String reason = "";
        Duration retryDelay = null;
        com.google.rpc.Status status = StatusProto.fromThrowable(failure);
        List<Any> details = status == null ? List.of() : status.getDetailsList();
        for (Any detail : details) {
            try {
                if (detail.is(ErrorInfo.class)) {
                    reason = detail.unpack(ErrorInfo.class).getReason();
                } else if (detail.is(RetryInfo.class)) {
                    com.google.protobuf.Duration delay =
                            detail.unpack(RetryInfo.class).getRetryDelay();
                    retryDelay = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
                }
            } catch (InvalidProtocolBufferException e) {
                reason = "unreadable details";
            }
        }
        return new Ending(new Outcome(Status.fromThrowable(failure).getCode(), reason), retryDelay);
    }
}
