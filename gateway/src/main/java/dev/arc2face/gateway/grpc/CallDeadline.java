package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.ScheduledExecutorService;

/**
 * The context in which a call's work runs on a thread of ours: cancelled when the call is, and out of time a little
 * before the call is. gRPC ends an overdue call by itself, without a reason; work that stops first can still tell one.
 */
final class CallDeadline {
    private final Duration margin;
    private final ScheduledExecutorService timer;

    /** @param margin how long before the call's deadline its work stops; at most a tenth of the time left */
    CallDeadline(Duration margin, ScheduledExecutorService timer) {
        this.margin = margin;
        this.timer = timer;
    }

    /** A context inside the current one; whoever takes it must cancel it when the work is done. */
    CancellableContext newContext() {
        Context call = Context.current();
        Deadline deadline = call.getDeadline();
        if (deadline == null) {
            return call.withCancellation();
        }
        return call.withDeadline(earlier(deadline), timer);
    }

    /**
     * A context that the end of the call does not cancel; whoever takes it must, when the work is done.
     *
     * @param limited whether the work has the call's deadline, as in {@link #newContext}
     */
    CancellableContext newDetachedContext(boolean limited) {
        Context call = Context.current();
        Context detached = call.fork();
        Deadline deadline = call.getDeadline();
        return limited && deadline != null
                ? detached.withDeadline(earlier(deadline), timer)
                : detached.withCancellation();
    }

    private Deadline earlier(Deadline deadline) {
        return deadline.offset(-Math.min(margin.toNanos(), deadline.timeRemaining(NANOSECONDS) / 10), NANOSECONDS);
    }

    /** A context's deadline by {@link System#nanoTime}. */
    static OptionalLong nanoTime(Context context) {
        Deadline deadline = context.getDeadline();
        return deadline == null
                ? OptionalLong.empty()
                : OptionalLong.of(System.nanoTime() + deadline.timeRemaining(NANOSECONDS));
    }

    /** Why a context is cancelled. */
    static FailureException reason(Context context) {
        Deadline deadline = context.getDeadline();
        return deadline != null && deadline.isExpired()
                ? FailureException.of(ErrorReason.DEADLINE_EXCEEDED, "the call's deadline passed")
                : FailureException.of(ErrorReason.CANCELLED, "the call was cancelled");
    }
}
