package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.admission.PerCaller;
import dev.arc2face.gateway.trace.Spans;
import io.grpc.Context.CancellableContext;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
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
    private final PerCaller places;

    /**
     * @param name prefix of the threads' names
     * @param maxRunning at least 1
     * @param maxQueued at least 1
     * @param maxPerCaller 0 is as many as there are places
     */
    BoundedExecutor(String name, int maxRunning, int maxQueued, int maxPerCaller) {
        places = new PerCaller(maxPerCaller);
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
        if (!places.take(caller)) {
            context.cancel(null);
            throw FailureException.overQuota(
                    "unary-calls-per-caller",
                    places.limit(),
                    "a caller may have " + places.limit() + " calls that run or wait; try again when one has ended");
        }
        Span queue = Spans.begin("queue");
        Runnable traced = tracedBy(queue, call);
        Runnable work = () -> {
            try {
                context.run(traced);
            } finally {
                places.giveBack(caller);
                context.cancel(null);
            }
        };
        try {
            threads.execute(work);
        } catch (RejectedExecutionException full) {
            places.giveBack(caller);
            context.cancel(null);
            queue.end();
            throw FailureException.of(ErrorReason.QUEUE_FULL, "all places are taken; try again later");
        }
        context.addListener(
                ended -> {
                    if (threads.remove(work)) {
                        queue.end();
                        places.giveBack(caller);
                        withdrawn.accept(CallDeadline.reason(ended));
                    }
                },
                Runnable::run);
    }

    /** The call in the trace of this thread's, which it has waited for in the span. */
    private static Runnable tracedBy(Span queue, Runnable call) {
        Context trace = Spans.current();
        return () -> {
            queue.end();
            Spans.run(trace, call);
        };
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
