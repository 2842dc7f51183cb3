package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.admission.Demand;
import dev.arc2face.gateway.admission.Generation;
import dev.arc2face.gateway.admission.Place;
import dev.arc2face.gateway.admission.StepQuota;
import dev.arc2face.gateway.admission.Turn;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationEvent.Decoded;
import dev.arc2face.gateway.diffusion.GenerationEvent.Finished;
import dev.arc2face.gateway.diffusion.GenerationEvent.FurtherAttempt;
import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.PortraitGenerator;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentitySource;
import io.grpc.Context.CancellableContext;
import io.opentelemetry.api.trace.SpanContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** A generation from its acceptance to its end, whoever listens to it. */
final class Ongoing implements Generation {
    private static final Logger LOG = Logger.getLogger(Ongoing.class);

    private static final String COMPLETED = "completed";

    /** About what it takes beside its events' bytes: those events as objects, its options, its places in tables. */
    private static final int OVERHEAD_BYTES = 8 << 10;

    private final String id;
    private final GenerationOptions options;
    private final List<Float> shares;
    private final PortraitGenerator generator;
    private final Receipts.Draft receipt;
    private final Runnable permission;
    private final StepQuota.Charge charge;
    private final Meters meters;
    private final PictureMeters pictures;
    private final GenerationSpan span;
    private final AtomicInteger rejected = new AtomicInteger();
    private final boolean outlivesListeners;
    private final boolean begunAlone;
    private final CancellableContext context;
    private final Consumer<Ongoing> ended;
    private final Recording recording;
    private final long accepted = System.nanoTime();

    private volatile @Nullable IdentitySource identity;
    private volatile @Nullable Place place;

    /**
     * Begins nothing yet.
     *
     * @param id the caller's name for it
     * @param receipt that it comes with
     * @param permission asked before anything is computed; throws where there is none
     * @param charge taken when it is admitted, given back where it never runs
     * @param context in which it runs; it is cancelled when the generation has ended
     * @param outlivesListeners whether it goes on when nobody listens any more
     * @param begunAlone whether whoever begins it does not listen, and others come for what it has made
     * @param ended told once it has ended, but not where it was not admitted
     */
    Ongoing(
            String id,
            IdentitySource identity,
            GenerationOptions options,
            PortraitGenerator generator,
            Receipts.Draft receipt,
            Runnable permission,
            StepQuota.Charge charge,
            Meters meters,
            CancellableContext context,
            boolean outlivesListeners,
            boolean begunAlone,
            Consumer<Ongoing> ended) {
        this.id = id;
        this.identity = identity;
        this.options = options;
        this.shares = Requests.shares(identity, options.numImages());
        this.generator = generator;
        this.receipt = receipt;
        this.permission = permission;
        this.charge = charge;
        this.meters = meters;
        this.pictures = meters.pictures(options);
        this.span = new GenerationSpan(id);
        this.context = context;
        this.outlivesListeners = outlivesListeners;
        this.begunAlone = begunAlone;
        this.ended = ended;
        this.recording = new Recording(new EventNumbers(options), outlivesListeners);
    }

    /**
     * Has it admitted, and tells so.
     *
     * @param bytes what it holds while it waits
     * @return whether it is; otherwise its listener has been told why not
     */
    boolean begin(Place taken, long bytes) {
        place = taken;
        span.begin(options);
        Demand demand = new Demand(options.workload(), bytes, CallDeadline.nanoTime(context));
        try {
            recording.begin(() -> enter(taken, demand).map(Responses::queued), Responses.accepted(id, options, shares));
            return true;
        } catch (FailureException refused) {
            context.cancel(null);
            span.failed(refused.reason().name());
            recording.fail(refused);
            return false;
        } finally { // at once where its listener has left in the meantime
            context.addListener(end -> taken.withdraw(CallDeadline.reason(end)), Runnable::run);
        }
    }

    private Optional<Turn> enter(Place taken, Demand demand) {
        charge.take();
        try {
            return taken.enter(demand, this);
        } catch (FailureException refused) {
            charge.giveBack();
            throw refused;
        }
    }

    /** It is not needed: nothing of it has begun. */
    void discard() {
        context.cancel(null);
    }

    /** As {@link Recording#listen}. */
    boolean listen(EventWriter writer, long heard) {
        return recording.listen(writer, heard);
    }

    /** A listener is gone, or takes too long. */
    void left(EventWriter writer) {
        if (recording.leave(writer)) {
            context.cancel(null);
        }
    }

    /** Ends it, wherever it is. */
    void cancel() {
        recording.fail(FailureException.of(ErrorReason.CANCELLED, "the generation was cancelled"));
        context.cancel(null);
    }

    /** How many pictures were drawn again, up to now. */
    int rejected() {
        return rejected.get();
    }

    /** Of its own span. */
    SpanContext spanContext() {
        return span.context();
    }

    /** Ends it where nobody has come to listen by then; nothing holds it for that once it has ended. */
    void waitForListener(Duration grace, ScheduledExecutorService timer) {
        Future<?> patience = timer.schedule(this::giveUpWaiting, grace.toNanos(), NANOSECONDS);
        context.addListener(end -> patience.cancel(false), Runnable::run);
    }

    private void giveUpWaiting() {
        if (recording.giveUpWaiting()) {
            context.cancel(null);
        }
    }

    /** What it has told, to read of. */
    Recording recording() {
        return recording;
    }

    /** Whether its result is worth something to somebody once it has ended. */
    boolean isHeld() {
        return outlivesListeners || (begunAlone && !recording.isAbandoned());
    }

    /** What it holds once it has ended. */
    long bytes() {
        return recording.bytes() + OVERHEAD_BYTES;
    }

    @Override
    public void run() {
        Duration queued = sinceAccepted();
        span.started();
        try {
            span.run(() -> context.run(() -> run(queued)));
        } finally {
            end();
        }
    }

    private void run(Duration queued) {
        IdentitySource source = identity;
        Place taken = place;
        if (source == null || taken == null) {
            throw new IllegalStateException("it has run, or was never admitted");
        }
        meters.generationStarted(queued);
        String outcome = COMPLETED;
        try {
            askPermission();
            Consumer<GenerationEvent> tell = event -> {
                if (event instanceof FurtherAttempt again) {
                    countAgain(again.workload().pictures());
                } else if (!(event instanceof Decoded)) {
                    recording.tell(withReceipt(Responses.event(event, queued, options, shares), event, source));
                }
            };
            generator.generate(Requests.identity(source), options, taken.watching(pictures.watching(tell)));
            recording.complete();
        } catch (FailureException failure) {
            recording.fail(failure.blamedOn("identity"));
            outcome = failure.reason().name();
        } catch (RuntimeException | Error thrown) {
            recording.fail(thrown);
            outcome = ErrorReason.INTERNAL.name();
        }
        log(outcome, queued);
    }

    private GenerateResponse.Builder withReceipt(
            GenerateResponse.Builder told, GenerationEvent event, IdentitySource source) {
        if (event instanceof Portrait portrait) {
            receipt.add(portrait, options.floor());
        } else if (event instanceof Finished) {
            told.getCompletedBuilder()
                    .setReceipt(receipt.finish(
                            Responses.accepted(id, options, shares).getAccepted(), source));
        }
        return told;
    }

    private void countAgain(int further) {
        charge.takeMore((long) further * options.steps());
        rejected.addAndGet(further);
    }

    private void askPermission() {
        try {
            permission.run();
        } catch (FailureException refused) {
            charge.giveBack();
            throw refused;
        }
    }

    @Override
    public void moved(Turn turn) {
        try {
            recording.tell(Responses.queued(turn));
        } catch (FailureException left) {
            // The listener has, and whoever ended that sees to the rest.
        }
    }

    @Override
    public void withdrawn(FailureException why) {
        charge.giveBack();
        recording.fail(why);
        span.run(() -> log(why.reason().name(), sinceAccepted()));
        end();
    }

    @Override
    public void stopped(FailureException why) {
        recording.fail(why);
        context.cancel(null);
    }

    private void end() {
        identity = null; // a photo is not kept longer than it is needed
        context.cancel(null);
        ended.accept(this);
    }

    private Duration sinceAccepted() {
        return Duration.ofNanos(System.nanoTime() - accepted);
    }

    private void log(String outcome, Duration queued) {
        pictures.ended(outcome);
        meters.generationEnded(outcome, options.variant().id(), sinceAccepted());
        LOG.infof(
                "generation %s: %s, variant %s, images %d, steps %d, scheduler %s, %d ms of which %d ms queued",
                id,
                outcome,
                options.variant().id(),
                options.numImages(),
                options.steps(),
                options.scheduler().id(),
                sinceAccepted().toMillis(),
                queued.toMillis());
        if (outcome.equals(COMPLETED)) {
            span.completed();
        } else {
            span.failed(outcome);
        }
    }
}
