package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GenerateResponse.EventCase;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of a generation's stream. It never blocks its caller, however slowly the client reads. Events leave in
 * the order in which they came. While the client is not ready, previews are dropped and
 * of places in the queue and of step progress only the latest waits; everything else waits, which is at most an
 * acceptance, a face report, sixteen portraits and a completion. No place in the queue is sent after the work has
 * begun. A client that takes nothing for longer than the limit while something waits for it gets
 * {@code CLIENT_TOO_SLOW}, and is given up. No event is larger than the limit.
 */
final class EventWriter {
    /**
     * Bytes that may wait inside the transport before a client counts as not ready: room for the previews of sixteen
     * portraits, which come at once, so that a client which reads at normal speed loses none. (The transport's own
     * default is 32 KiB.)
     */
    private static final int READY_THRESHOLD = 256 << 10;

    private final ServerCallStreamObserver<GenerateResponse> client;
    private final int maxEventBytes;
    private final Duration stallLimit;
    private final ScheduledExecutorService timer;
    private final Consumer<EventWriter> gone;

    // All below is guarded by this.
    private final Queue<GenerateResponse> waiting = new ArrayDeque<>();
    private long waitingSince;
    private boolean begun;
    private boolean watched;
    private boolean complete;
    private @Nullable FailureException end;

    /**
     * Takes over the stream of a call that has just begun.
     *
     * @param gone told at most once, when the client is gone or too slow, while no lock of this is held
     */
    EventWriter(
            ServerCallStreamObserver<GenerateResponse> client,
            int maxEventBytes,
            Duration stallLimit,
            ScheduledExecutorService timer,
            Consumer<EventWriter> gone) {
        this.client = client;
        this.maxEventBytes = maxEventBytes;
        this.stallLimit = stallLimit;
        this.timer = timer;
        this.gone = gone;
        client.setOnReadyThreshold(READY_THRESHOLD);
        client.setOnReadyHandler(this::drain);
        client.setOnCancelHandler(this::abandon);
    }

    /** Ends what the client has ended before this took over its stream. */
    void begin() {
        if (client.isCancelled()) {
            abandon();
        }
    }

    /** Sends an event, now or when the client is ready for it; throws what ended the stream if it has ended. */
    synchronized void send(GenerateResponse message) {
        if (end != null) {
            throw end;
        }
        if (message.getSerializedSize() > maxEventBytes) {
            throw FailureException.of(
                    ErrorReason.INTERNAL,
                    message.getEventCase() + " of " + message.getSerializedSize() + " bytes is larger than an event");
        }
        if (message.getEventCase() == EventCase.QUEUED && begun) {
            return;
        }
        begun |= message.getEventCase() != EventCase.ACCEPTED && message.getEventCase() != EventCase.QUEUED;
        drain(); // the client may be ready and its callback still on the way
        if (message.getEventCase() == EventCase.PREVIEW && !(waiting.isEmpty() && client.isReady())) {
            return;
        }
        if (waiting
                .isEmpty()) { // asked before a later event takes the place of an earlier one: that is not a beginning
            waitingSince = System.nanoTime();
        }
        if (message.getEventCase() == EventCase.QUEUED || message.getEventCase() == EventCase.STEP_PROGRESS) {
            waiting.removeIf(earlier -> earlier.getEventCase() == message.getEventCase());
        }
        waiting.add(message);
        drain();
        watch(stallLimit.toNanos());
    }

    /** Ends the stream well, after everything that waits. */
    synchronized void complete() {
        complete = true;
        drain();
    }

    /** Ends the stream with a failure, at once: what waits is worth nothing without the rest. */
    synchronized void fail(Throwable failure) {
        if (end == null) {
            close("failed");
            client.onError(ErrorStatus.carrying(failure));
        }
    }

    private void abandon() {
        synchronized (this) {
            if (end != null) {
                return;
            }
            close("the client is gone");
        }
        gone.accept(this);
    }

    private synchronized void drain() {
        while (!waiting.isEmpty() && client.isReady()) {
            client.onNext(waiting.remove());
            waitingSince = System.nanoTime();
        }
        if (complete && end == null && waiting.isEmpty()) {
            close("complete");
            client.onCompleted();
        }
    }

    /** Sees to it that somebody looks, after a while, whether the client has taken anything. */
    private void watch(long nanos) {
        if (!watched && !waiting.isEmpty()) {
            watched = true;
            var unused = timer.schedule(this::look, nanos, NANOSECONDS);
        }
    }

    private void look() {
        synchronized (this) {
            watched = false;
            long left = stallLimit.toNanos() - (System.nanoTime() - waitingSince);
            if (left > 0 || waiting.isEmpty()) {
                watch(left);
                return;
            }
            FailureException tooSlow = FailureException.of(
                    ErrorReason.CLIENT_TOO_SLOW,
                    "the client read nothing for longer than " + stallLimit.toSeconds() + " s",
                    Map.of("limit_seconds", Long.toString(stallLimit.toSeconds())));
            end = tooSlow;
            waiting.clear();
            client.onError(ErrorStatus.carrying(tooSlow));
        }
        gone.accept(this);
    }

    private void close(String why) {
        end = FailureException.of(ErrorReason.CANCELLED, why);
        waiting.clear();
    }
}
