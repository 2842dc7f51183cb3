package dev.arc2face.loadtest.stream;

import java.util.concurrent.locks.LockSupport;

/**
 * Starts every request when it is due, whatever has become of the others: a server that stalls gets all the requests that
 * were meant to start meanwhile, and each counts from when it was meant to. Should this loop itself be late, it catches up
 * at once; the delay is part of the latency and recorded by itself besides.
 */
final class OpenLoop {
    private final Arrivals arrivals;
    private final Caller caller;

    OpenLoop(Arrivals arrivals, Caller caller) {
        this.arrivals = arrivals;
        this.caller = caller;
    }

    /**
     * Returns when the last request is started, or at the end.
     *
     * @param requests no more than so many
     * @param start the run's first moment
     * @param end no request is meant to start at or after it
     */
    void run(long requests, long start, long end) throws InterruptedException {
        for (long index = 0; index < requests; index++) {
            long intended = start + arrivals.nextNanos();
            if (intended - end >= 0) {
                sleepUntil(end);
                return;
            }
            Caller.Prepared call = caller.prepare(index);
            sleepUntil(intended);
            call.start(intended, ending -> {});
        }
    }

    static void sleepUntil(long nanos) throws InterruptedException {
        for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }
}
