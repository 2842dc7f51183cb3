package dev.arc2face.loadtest.stream;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceStub;
import io.grpc.Channel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One call of {@code Generate}. It is made of callbacks: however many are open, they need no threads. It ends exactly once,
 * by the server's word, by the caller's own cancellation, or because the run is over.
 */
final class StreamCall implements Caller.Prepared, ClientResponseObserver<GenerateRequest, GenerateResponse> {
    /**
     * A caller that hardly reads: one event each time.
     *
     * @param every from one event to the next
     */
    record SlowReading(Duration every, ScheduledExecutorService timer) {}

    private final Channel channel;
    private final PlannedCall plan;
    private final @Nullable SlowReading slowReading;
    private final Recording recording;
    private final OpenCalls open;

    // Set by start(), before the transport can call back.
    private @Nullable Timeline timeline;
    private Consumer<Ending> whenEnded = ending -> {};
    private volatile @Nullable ClientCallStreamObserver<GenerateRequest> call;
    private @Nullable Future<?> reading;
    private volatile @Nullable Ending ownEnding;

    StreamCall(
            Channel channel, PlannedCall plan, @Nullable SlowReading slowReading, Recording recording, OpenCalls open) {
        this.channel = channel;
        this.plan = plan;
        this.slowReading = slowReading;
        this.recording = recording;
        this.open = open;
    }

    @Override
    public void start(long intended, Consumer<Ending> whenEnded) {
        this.whenEnded = whenEnded;
        long now = System.nanoTime();
        Timeline timeline = new Timeline(recording, plan, intended);
        this.timeline = timeline;
        PortraitServiceStub stub = PortraitServiceGrpc.newStub(channel);
        if (plan.deadline() != null) {
            stub = stub.withDeadlineAfter(plan.deadline().toNanos() - (now - intended), NANOSECONDS);
        }
        open.add(this);
        timeline.started(now);
        stub.generate(plan.request(), this);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> call) {
        this.call = call;
        if (slowReading != null) {
            call.disableAutoRequestWithInitial(0);
            long every = slowReading.every().toNanos();
            reading = slowReading.timer().scheduleAtFixedRate(() -> call.request(1), every, every, NANOSECONDS);
        }
    }

    @Override
    public void onNext(GenerateResponse event) {
        Timeline timeline = timeline();
        timeline.event(System.nanoTime(), event);
        if (plan.cancelAfterSteps() > 0 && timeline.steps() >= plan.cancelAfterSteps()) {
            cancel(Ending.CANCELLED_BY_TESTER);
        }
    }

    @Override
    public void onCompleted() {
        ended(Ending.OK);
    }

    @Override
    public void onError(Throwable failure) {
        Ending own = ownEnding;
        ended(own != null ? own : Ending.of(failure));
    }

    /** Cancels the call because the run is over. */
    void cutOff() {
        cancel(Ending.CUT_OFF);
    }

    private void cancel(Ending ending) {
        ClientCallStreamObserver<GenerateRequest> call = this.call;
        if (ownEnding == null && call != null) {
            ownEnding = ending;
            call.cancel(ending.outcome().reason(), null);
        }
    }

    private void ended(Ending ending) {
        timeline().ended(System.nanoTime(), ending);
        if (reading != null) {
            reading.cancel(false);
        }
        open.remove(this);
        whenEnded.accept(ending);
    }

    private Timeline timeline() {
        if (timeline == null) {
            throw new IllegalStateException("called back before the start");
        }
        return timeline;
    }
}
