package dev.arc2face.gateway.rest;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes that the bodies of all requests may have together, from when they come in until they have been read. */
final class BodyBudget {
    private final long most;
    private final AtomicLong taken = new AtomicLong();

    BodyBudget(long most) {
        this.most = most;
    }

    /**
     * Takes more for a body that holds some, or gives those back, too, where there is not enough: in one step, so that
     * of two bodies that do not fit together one goes on.
     */
    boolean takeOrGiveBack(long more, long held) {
        while (true) {
            long now = taken.get();
            boolean fits = now + more <= most;
            if (taken.compareAndSet(now, fits ? now + more : now - held)) {
                return fits;
            }
        }
    }

    void giveBack(long bytes) {
        taken.addAndGet(-bytes);
    }
}
