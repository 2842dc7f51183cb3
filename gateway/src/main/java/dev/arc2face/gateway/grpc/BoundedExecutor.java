package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import io.grpc.Context.CancellableContext;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Runs calls on threads of its own and guarantees that no more than {@code maxRunning} of them run at once, that they
 * start in the order of their arrival, that a waiting call is a record and holds no thread, and that no more than
 * {@code maxQueued} wait, nor more than {@code maxPerCaller} of one caller run and wait: the next one fails at once. A
 * waiting call whose context ends gives its place back.
 */
final class BoundedExecutor implements AutoCloseable {
    private final ThreadPoolExecutor threads;
    private final int maxPerCaller;
    private final Map<String, Integer> callsOfCallers = new HashMap<>(); // nobody is there with none; guarded by it

    /**
     * @param name prefix of the threads' names
     * @param maxRunning at least 1
     * @param maxQueued at least 1
     * @param maxPerCaller 0 is as many as there are places
     */
    BoundedExecutor(String name, int maxRunning, int maxQueued, int maxPerCaller) {
        this.maxPerCaller = maxPerCaller == 0 ? Integer.MAX_VALUE : maxPerCaller;
        threads = new ThreadPoolExecutor(
                maxRunning,
                maxRunning,
                1,
                TimeUnit.MINUTES,
                new LinkedBlockingQueue<>(maxQueued),
                new DaemonThreads(name));
        threads.allowCoreThreadTimeOut(true);
    }

    /**
     * Runs a call in its context, now or when its turn comes, and cancels the context when the call has run.
     *
     * @param caller whose call it is
     * @param call must not throw
     * @param withdrawn gets the reason if the context ends while the call waits; then the call never runs
     * @throws FailureException QUEUE_FULL; QUOTA_EXCEEDED
     */
    void execute(String caller, CancellableContext context, Runnable call, Consumer<FailureException> withdrawn) {
        if (!comes(caller)) {
            context.cancel(null);
            throw FailureException.of(
                    ErrorReason.QUOTA_EXCEEDED,
                    "a caller may have " + maxPerCaller + " calls that run or wait; try again when one has ended",
                    Map.of("quota", "unary-calls-per-caller", "limit", Integer.toString(maxPerCaller)));
        }
        Runnable work = () -> {
            try {
                context.run(call);
            } finally {
                goes(caller);
                context.cancel(null);
            }
        };
        try {
            threads.execute(work);
        } catch (RejectedExecutionException full) {
            goes(caller);
            context.cancel(null);
            throw FailureException.of(ErrorReason.QUEUE_FULL, "all places are taken; try again later");
        }
        context.addListener(
                ended -> {
                    if (threads.remove(work)) {
                        goes(caller);
                        withdrawn.accept(CallDeadline.reason(ended));
                    }
                },
                Runnable::run);
    }

    private boolean comes(String caller) {
        synchronized (callsOfCallers) {
            if (callsOfCallers.getOrDefault(caller, 0) >= maxPerCaller) {
                return false;
            }
            callsOfCallers.merge(caller, 1, Integer::sum);
            return true;
        }
    }

    private void goes(String caller) {
        synchronized (callsOfCallers) {
            if (callsOfCallers.merge(caller, -1, Integer::sum) == 0) {
                callsOfCallers.remove(caller);
            }
        }
    }

    int running() {
        return threads.getActiveCount();
    }

    int waiting() {
        return threads.getQueue().size();
    }

    /** Interrupts what runs and forgets what waits. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
