package dev.arc2face.gateway.rest;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes that the bodies of all requests may have together, from when they come in until they have been read. */
final class BodyBudget {
    private final long most;
    private final AtomicLong taken = new AtomicLong();

    BodyBudget(long most) {
        this.most = most;
    }

    /** Takes so many more, if they are there. */
    boolean take(long bytes) {
        if (taken.addAndGet(bytes) > most) {
            giveBack(bytes);
            return false;
        }
        return true;
    }

    void giveBack(long bytes) {
        taken.addAndGet(-bytes);
    }
}
