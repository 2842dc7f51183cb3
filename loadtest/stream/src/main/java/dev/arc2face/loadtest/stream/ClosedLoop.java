package dev.arc2face.loadtest.stream;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A fixed number of callers, each with one call at a time: the next one is meant to start at the end of the last. After a
 * failure (a call that it cancelled itself is none) a caller waits as long as {@code RetryInfo} said, or 100 ms where
 * there was none, so that a server that refuses is not asked in a busy loop. No caller holds a thread.
 */
final class ClosedLoop {
    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofMillis(100);

    private final Caller caller;
    private final ScheduledExecutorService timer;
    private final long requests;
    private final long end;
    private final AtomicLong taken = new AtomicLong();
    private final CountDownLatch calling;
    private volatile boolean stopped;

    /**
     * @param callers how many call at once
     * @param requests no more than so many in all
     * @param end no call starts at or after it
     */
    ClosedLoop(int callers, Caller caller, ScheduledExecutorService timer, long requests, long end) {
        if (callers < 0) {
            throw new IllegalArgumentException(callers + " callers");
        }
        this.caller = caller;
        this.timer = timer;
        this.requests = requests;
        this.end = end;
        this.calling = new CountDownLatch(callers);
    }

    /** Starts every caller's first call. */
    void start(long start) {
        for (long callers = calling.getCount(); callers > 0; callers--) {
            next(start);
        }
    }

    /** Returns when no call is left to start, or at the end. */
    void await() throws InterruptedException {
        var unused = calling.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    /** Sees to it that no further call starts. */
    void stop() {
        stopped = true;
    }

    private void next(long intended) {
        long index = stopped || intended - end >= 0 ? requests : taken.getAndIncrement();
        if (index >= requests) {
            calling.countDown();
            return;
        }
        caller.prepare(index).start(intended, this::ended);
    }

    private void ended(Ending ending) {
        long now = System.nanoTime();
        if (ending.ok() || ending.equals(Ending.CANCELLED_BY_TESTER)) {
            next(now);
            return;
        }
        Duration delay = ending.retryDelay();
        long pause = (delay == null ? PAUSE_AFTER_FAILURE : delay).toNanos();
        var unused = timer.schedule(() -> next(now + pause), pause, TimeUnit.NANOSECONDS);
    }
}
