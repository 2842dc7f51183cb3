package dev.arc2face.gateway.triton;

/**
 * How many attempts may be repeated, so that a failing model server is not buried under repetitions: a fifth of the calls,
 * and {@value #RESERVE} at once, which is more than can be in flight at a replica that dies. Guarded by the
 * {@link Replicas}.
 */
final class RetryBudget {
    static final int CALLS_PER_RETRY = 5;
    static final int RESERVE = 256;

    private int left = CALLS_PER_RETRY * RESERVE; // in calls

    /** A call begins. */
    void called() {
        left = Math.min(CALLS_PER_RETRY * RESERVE, left + 1);
    }

    /** Whether an attempt may be repeated; then one less may. */
    boolean spend() {
        if (left < CALLS_PER_RETRY) {
            return false;
        }
        left -= CALLS_PER_RETRY;
        return true;
    }
}
