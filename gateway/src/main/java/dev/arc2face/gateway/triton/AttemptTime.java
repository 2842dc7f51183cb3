package dev.arc2face.gateway.triton;

import java.time.Duration;

/**
 * How long an attempt at a model is waited for before another replica is asked: several times what calls of the model have
 * taken lately, since the other one may be asked for nothing while this one has only got more to do. The mean and the
 * mean deviation are those of TCP's retransmission timer (RFC 6298). Guarded by the {@link Replicas}.
 */
final class AttemptTime {
    private static final double NEWEST = 0.125;
    private static final double NEWEST_DEVIATION = 0.25;
    private static final double MEANS = 3;
    private static final double DEVIATIONS = 4;

    private final long least;
    private final long most;
    private boolean measured;
    private double mean;
    private double deviation;

    /**
     * @param least no attempt is given up earlier
     * @param most how long is waited while nothing has been measured, and at most
     */
    AttemptTime(Duration least, Duration most) {
        this.least = least.toNanos();
        this.most = most.toNanos();
    }

    /** An attempt took so many nanoseconds, or was given up after them. */
    void took(long nanos) {
        if (measured) {
            deviation += NEWEST_DEVIATION * (Math.abs(nanos - mean) - deviation);
            mean += NEWEST * (nanos - mean);
        } else {
            measured = true;
            mean = nanos;
            deviation = nanos / 2.0;
        }
    }

    /** Nanoseconds. */
    long patience() {
        return measured ? Math.max(least, Math.min(most, (long) (MEANS * mean + DEVIATIONS * deviation))) : most;
    }
}
