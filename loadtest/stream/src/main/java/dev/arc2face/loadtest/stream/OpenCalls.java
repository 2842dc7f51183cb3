package dev.arc2face.loadtest.stream;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The calls that have started and not ended. */
final class OpenCalls {
    private final Set<StreamCall> calls = new HashSet<>();

    synchronized void add(StreamCall call) {
        calls.add(call);
    }

    synchronized void remove(StreamCall call) {
        calls.remove(call);
        if (calls.isEmpty()) {
            notifyAll();
        }
    }

    synchronized int count() {
        return calls.size();
    }

    /** Waits, no longer than the limit, until all have ended; returns whether they have. */
    synchronized boolean awaitNone(Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        for (long left = limit.toNanos(); !calls.isEmpty() && left > 0; left = end - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return calls.isEmpty();
    }

    /** Ends what is still open; each call tells of its end as always. */
    void cutOff() {
        List<StreamCall> open;
        synchronized (this) {
            open = List.copyOf(calls);
        }
        open.forEach(StreamCall::cutOff);
    }
}
