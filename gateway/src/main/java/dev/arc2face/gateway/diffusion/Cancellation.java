package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import io.grpc.Context;
import io.grpc.Deadline;

/** Ends work that nobody waits for any more. */
final class Cancellation {
    private Cancellation() {}

    /**
     * Returns while the current call goes on.
     *
     * @throws FailureException DEADLINE_EXCEEDED when its deadline has passed, CANCELLED when its client went away
     */
    static void check() {
        Context call = Context.current();
        Deadline deadline = call.getDeadline();
        if (deadline != null && deadline.isExpired()) {
            throw FailureException.of(ErrorReason.DEADLINE_EXCEEDED, "the deadline passed");
        }
        if (call.isCancelled()) {
            throw FailureException.of(ErrorReason.CANCELLED, "the call was cancelled");
        }
    }
}
