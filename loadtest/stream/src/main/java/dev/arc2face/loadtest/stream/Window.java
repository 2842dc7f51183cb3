package dev.arc2face.loadtest.stream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The part of a run that is measured, between the warm-up and the end. A call belongs to it by the moment when it was
 * meant to start, so that every call that does is measured to its own end, however late that is; throughput counts what
 * happened inside it. Moments are on {@link System#nanoTime()}'s scale.
 */
final class Window {
    /** Long enough for any run, short enough for arithmetic on nanoseconds. */
    private static final Duration FOREVER = Duration.ofDays(365);

    private final long from;
    private volatile long to;

    /** @param duration how long to measure; null means until {@link #close} */
    Window(long start, Duration warmUp, @Nullable Duration duration) {
        from = start + warmUp.toNanos();
        to = from + (duration == null ? FOREVER : duration).toNanos();
    }

    boolean contains(long moment) {
        return moment - from >= 0 && moment - to < 0;
    }

    long from() {
        return from;
    }

    long to() {
        return to;
    }

    /** Ends the window at this moment, if it has not ended. */
    void close(long now) {
        if (now - to < 0) {
            to = now;
        }
    }

    /** How much of the window has passed. */
    double seconds(long now) {
        return Math.max(0, Math.min(now - from, to - from)) / 1e9;
    }
}
