package dev.arc2face.gateway.triton;

import java.time.Duration;

/**
 * Keeps calls away from a replica that fails them. It opens when {@value #FAILURES} attempts in a row have failed, lets
 * one attempt through after a pause, and closes when an attempt has succeeded. The pause doubles with every failed trial.
 * Guarded by the {@link Replicas}. Times are {@link System#nanoTime}'s.
 */
final class Breaker {
    static final int FAILURES = 3;
    static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /** How it stands. */
    enum State {
        /** Attempts go through. */
        CLOSED,
        /** None does, or none yet. */
        OPEN,
        /** One does, and decides. */
        HALF_OPEN
    }

    private int failures;
    private long pause;
    private long closedUntil; // meaningful while open
    private boolean trialRuns;

    /** Whether an attempt may be made. */
    boolean allows(long now) {
        return !isOpen() || (!trialRuns && now - closedUntil >= 0);
    }

    /** An attempt that was allowed begins. */
    void began() {
        trialRuns |= isOpen();
    }

    void succeeded() {
        failures = 0;
        trialRuns = false;
    }

    void failed(long now) {
        boolean wasOpen = isOpen();
        failures++;
        if (!isOpen() || (wasOpen && !trialRuns)) {
            return; // closed, or one of those that were under way when it opened
        }
        pause = wasOpen ? Math.min(2 * pause, LONGEST_PAUSE.toNanos()) : FIRST_PAUSE.toNanos();
        closedUntil = now + pause;
        trialRuns = false;
    }

    /** An attempt came to nothing that says anything about the replica. */
    void abandoned() {
        trialRuns = false;
    }

    boolean isOpen() {
        return failures >= FAILURES;
    }

    State state() {
        return isOpen() ? (trialRuns ? State.HALF_OPEN : State.OPEN) : State.CLOSED;
    }
}
