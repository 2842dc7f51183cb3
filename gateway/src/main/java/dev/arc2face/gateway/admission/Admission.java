package dev.arc2face.gateway.admission;

import static java.util.concurrent.TimeUnit.MICROSECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.admission.Place.State;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.QuotasConfig;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationEvent.Finished;
import dev.arc2face.gateway.diffusion.GenerationEvent.FurtherAttempt;
import dev.arc2face.gateway.diffusion.GenerationEvent.Identified;
import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import dev.arc2face.gateway.diffusion.Workload;
import dev.arc2face.gateway.face.Stage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;

/**
 * Who runs, who waits, who is turned away. No more than {@code max-running} generations run at once (fewer where
 * {@link AdaptiveLimit} says so), and no more than {@code max-queued} calls beyond them have a place; every other call is
 * refused, which costs next to nothing. Callers take turns ({@link Turns}). A waiting generation is a record and holds no
 * thread; what all that wait hold is bounded, too. The time that calls of the model take is learned from every step, and
 * from it whoever waits is told for how long.
 *
 * <p>Deadlines decide, as soon as something has been measured: who would not end in time, with {@value #SAFETY} times
 * what is expected, is refused at once. Whose turn it is but who would bring a running generation to its deadline, with
 * {@value #MARGIN} times what is expected, waits and keeps its turn: nobody overtakes it, so it starts at the latest when
 * those that run have ended. Who cannot end in time any more never starts, and a running one is stopped after a step when
 * even alone with those that run now it would take {@value #LATE} times what it has left.
 *
 * <p>A generation that draws portraits until they are similar enough counts with the attempt that it is in: nobody knows
 * whether there will be another one, and to reckon with all that may come would turn away most of those that end in time.
 *
 * <p>All state is here, and guarded by the lock of this. Generations are called back without it: on threads of their own,
 * on the timer, or by whoever withdraws them.
 */
public final class Admission {
    private static final Logger LOG = Logger.getLogger(Admission.class);

    static final double SAFETY = 1.2;
    static final double MARGIN = 1.1;
    static final double LATE = 1.1;

    /** How long a generation may take to notice that it is stopped. */
    private static final Duration STOPPING = Duration.ofSeconds(2);

    /** A refused caller is never told to stay away for longer than this, before the spread. */
    private static final double LONGEST_RETRY_SECONDS = 60;

    /** How much later than the soonest of them refused callers are told to come back: up to half as much again. */
    private static final double SPREAD = 0.5;

    private static final double GOLDEN_RATIO = 0.618033988749895;

    /** For how long a forecast of the next free place is used again. */
    private static final double FORECAST_SECONDS = 0.1;

    /** Positions are told at most so often, and a little less often the more there are to tell. */
    private static final long TELL_MICROS = 200_000;

    private static final long TELL_MICROS_EACH = 100;

    private static final Set<Stage> BEFORE =
            EnumSet.of(Stage.DECODE, Stage.DETECT, Stage.ALIGN, Stage.EMBED, Stage.ENCODE);

    private final AdaptiveLimit limit;
    private final int maxQueued;
    private final long maxQueuedBytes;
    private final Duration retryAfter;
    private final Executor threads;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;

    private final Turns<Place> waiting = new Turns<>();
    private final Set<Place> running = new LinkedHashSet<>();
    private final PerCaller places;
    private final LearnedTimes times = new LearnedTimes();
    private int reserved;
    private long queuedBytes;
    private boolean telling;
    private boolean draining;
    private boolean held; // whose turn it is waits for the sake of a deadline
    private long refusals;
    private long refusalsLogged;
    private double nextEnd; // seconds, when it was forecast
    private long nextEndForecast;
    private boolean nextEndKnown;

    /** Rows of UNet calls in flight, the integral of them over time in seconds, and up to when. */
    private double rows;

    private double rowSeconds;
    private long rowSecondsUntil;

    /**
     * @param threads run generations, as many as there are; must neither block nor run them on the calling thread
     * @param nanoTime as {@link System#nanoTime}
     */
    public Admission(
            LimitsConfig limits,
            QuotasConfig quotas,
            Executor threads,
            ScheduledExecutorService timer,
            LongSupplier nanoTime) {
        this.limit = new AdaptiveLimit(Math.min(limits.minRunning(), limits.maxRunning()), limits.maxRunning());
        this.maxQueued = limits.maxQueued();
        this.maxQueuedBytes = limits.maxQueuedBytes().asLongValue();
        this.places = new PerCaller(quotas.generationsPerCaller());
        this.retryAfter = limits.retryAfter();
        this.threads = threads;
        this.timer = timer;
        this.nanoTime = nanoTime;
        this.rowSecondsUntil = nanoTime.getAsLong();
    }

    /**
     * Takes a place for a call that has just begun.
     *
     * @param caller who takes turns with the others
     * @throws FailureException QUEUE_FULL or QUOTA_EXCEEDED, with a delay after which there may be a place;
     *     SHUTTING_DOWN
     */
    public synchronized Place reserve(String caller) {
        if (draining) {
            throw shuttingDown();
        }
        if (!places.take(caller)) {
            throw ofCallerFull();
        }
        if (running.size() + waiting.size() + reserved >= limit.current() + maxQueued) {
            places.giveBack(caller);
            throw full("all places are taken; try again later");
        }
        reserved++;
        return new Place(this, caller);
    }

    /** Generations that run. */
    public synchronized int running() {
        return running.size();
    }

    /** Generations that wait. */
    public synchronized int waiting() {
        return waiting.size();
    }

    /** Seconds that a generation which came now would wait for its turn; 0 while nothing has been measured. */
    public synchronized double expectedWait() {
        long now = nanoTime.getAsLong();
        List<Place> order = waiting.inOrder();
        if (order.isEmpty()) {
            return running.size() < limit.current() ? 0 : untilNextEnd(now);
        }
        return times.isMeasured() ? forecast(order, now).start(order.size() - 1) : 0;
    }

    /** Calls with a place whose request is still on its way. */
    synchronized int reserved() {
        return reserved;
    }

    /** Calls that were turned away since the start. */
    synchronized long refusals() {
        return refusals;
    }

    synchronized boolean release(Place place) {
        if (place.state != State.RESERVED) {
            return false;
        }
        reserved--;
        gone(place, nanoTime.getAsLong());
        return true;
    }

    /** Its caller has one place less. */
    private void gone(Place place, long now) {
        become(place, State.GONE, now);
        places.giveBack(place.caller);
    }

    Optional<Turn> enter(Place place, Demand demand, Generation generation) {
        List<Runnable> calls = new ArrayList<>();
        Optional<Turn> turn = Optional.empty();
        synchronized (this) {
            long now = nanoTime.getAsLong();
            if (place.state != State.RESERVED) {
                throw FailureException.of(ErrorReason.CANCELLED, "the call has ended already");
            }
            reserved--;
            place.becomes(demand, generation);
            try {
                queue(place, now);
            } catch (FailureException refused) {
                gone(place, now);
                throw refused;
            }
            startWhoCan(now, calls);
            if (place.state == State.WAITING) {
                List<Place> order = waiting.inOrder();
                int index = order.indexOf(place);
                place.told = index + 1;
                turn = Optional.of(turn(index, forecast(order, now)));
                tellLater();
            }
        }
        calls.forEach(Runnable::run);
        return turn;
    }

    private void queue(Place place, long now) {
        if (draining) {
            throw shuttingDown();
        }
        long bytes = place.demand().bytes();
        boolean waits = waiting.size() > 0 || running.size() >= limit.current();
        if (waits && queuedBytes + bytes > maxQueuedBytes) {
            throw full("the requests that wait are too large together; try again later");
        }
        waiting.add(place.caller, place);
        try {
            checkDeadline(place, now);
        } catch (FailureException unreachable) {
            waiting.remove(place.caller, place);
            throw unreachable;
        }
        queuedBytes += bytes;
        place.become(State.WAITING, now);
    }

    void withdraw(Place place, FailureException why) {
        List<Runnable> calls = new ArrayList<>();
        synchronized (this) {
            if (place.state != State.WAITING) {
                return;
            }
            long now = nanoTime.getAsLong();
            leaveQueue(place);
            gone(place, now);
            startWhoCan(now, calls);
        }
        calls.forEach(Runnable::run);
        place.generation().withdrawn(why);
    }

    /**
     * Lets nobody in any more, sends away who waits, and returns when all that run have ended; those that still run after
     * the grace period are stopped.
     */
    public void drain(Duration grace) throws InterruptedException {
        List<Place> sentAway;
        synchronized (this) {
            draining = true;
            sentAway = waiting.inOrder();
            sentAway.forEach(place -> {
                leaveQueue(place);
                gone(place, nanoTime.getAsLong());
            });
        }
        sentAway.forEach(place -> place.generation().withdrawn(shuttingDown()));
        List<Place> stopped;
        synchronized (this) {
            LOG.infof("shutting down: %d generations sent away, %d run", sentAway.size(), running.size());
            awaitEnd(grace);
            stopped = List.copyOf(running);
        }
        if (!stopped.isEmpty()) {
            LOG.warnf("shutting down: %d generations are stopped after %d s", stopped.size(), grace.toSeconds());
            stopped.forEach(place -> place.generation().stopped(shuttingDown()));
            synchronized (this) {
                awaitEnd(STOPPING);
            }
        }
    }

    private void awaitEnd(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos(); // the real time: that is what is waited for
        long left = most.toNanos();
        while (!running.isEmpty() && left > 0) {
            NANOSECONDS.timedWait(this, left);
            left = end - System.nanoTime();
        }
    }

    private static FailureException shuttingDown() {
        return FailureException.of(
                ErrorReason.SHUTTING_DOWN, "the server is shutting down; try again, another one will answer");
    }

    /** Learns from what a running generation tells, and throws DEADLINE_EXCEEDED where it is of no use any more. */
    void happened(Place place, GenerationEvent event) {
        List<Runnable> calls = new ArrayList<>();
        synchronized (this) {
            long now = nanoTime.getAsLong();
            learn(place, event, now);
            boolean stepsToCome = event instanceof Progress || event instanceof FurtherAttempt;
            if (stepsToCome && place.state == State.DENOISING && isLate(place, now)) {
                throw FailureException.of(
                        ErrorReason.DEADLINE_EXCEEDED, "at the present pace the deadline cannot be met any more");
            }
            if (held) {
                startWhoCan(now, calls);
            }
        }
        calls.forEach(Runnable::run);
    }

    private void learn(Place place, GenerationEvent event, long now) {
        Workload workload = place.workload();
        if (event instanceof Identified) {
            become(place, State.DENOISING, now);
        } else if (event instanceof FurtherAttempt again) {
            place.beginsAttempt(again.workload());
            become(place, State.DENOISING, now);
        } else if (event instanceof Progress progress) {
            integrateRows(now);
            // The first step's time is also the encoder's.
            if (place.stepsDone > 0 && now > place.stepBegan) {
                double seconds = seconds(now - place.stepBegan);
                double meanRows = (rowSeconds - place.rowSecondsBefore) / seconds;
                int callsPerStep = workload.partOf(progress.step()).callsPerStep();
                if (times.isMeasured(workload.variant())) {
                    double expected = times.pace(workload.variant()).at(meanRows) * callsPerStep;
                    limit.callEnded(seconds / expected, running.size());
                }
                times.callEnded(workload.variant(), meanRows, seconds / callsPerStep);
            }
            rows -= place.rows();
            place.stepsDone = progress.step();
            rows += place.rows();
            if (progress.step() == progress.total()) {
                become(place, State.FINISHING, now);
            }
        } else if (event instanceof Finished finished) {
            double before = finished.timings().entrySet().stream()
                    .filter(stage -> BEFORE.contains(stage.getKey()))
                    .mapToDouble(stage -> seconds(stage.getValue().toNanos()))
                    .sum();
            times.finished(before, seconds(now - place.since) / workload.pictures());
        }
    }

    /** The next step of a running generation begins now. */
    synchronized void stepBegins(Place place) {
        long now = nanoTime.getAsLong();
        integrateRows(now);
        place.stepBegan = now;
        place.rowSecondsBefore = rowSeconds;
    }

    private void startWhoCan(long now, List<Runnable> calls) {
        while (running.size() < limit.current()) {
            Place next = waiting.peek();
            if (next == null) {
                break;
            }
            Verdict verdict = verdict(next, now);
            held = verdict == Verdict.HOLDS;
            if (held) {
                break;
            }
            leaveQueue(next);
            if (verdict == Verdict.TOO_LATE) {
                gone(next, now);
                calls.add(() -> threads.execute(() -> next.generation()
                        .withdrawn(FailureException.of(
                                ErrorReason.DEADLINE_EXCEEDED,
                                "the deadline could not be met any more when its turn came"))));
                continue;
            }
            next.become(State.BEGUN, now);
            running.add(next);
            calls.add(() -> threads.execute(() -> run(next)));
        }
    }

    // Deadlines.

    /** Throws DEADLINE_UNREACHABLE where a generation that has just joined the queue would not end in time. */
    private void checkDeadline(Place place, long now) {
        if (!place.hasDeadline() || !times.isMeasured(place.workload().variant())) {
            return;
        }
        double left = place.left(now);
        List<Place> order = waiting.inOrder();
        double expected = forecast(order, now).endOfWaiting(order.indexOf(place));
        if (SAFETY * expected <= left) {
            return;
        }
        refused();
        double alone = times.forecast(0, 1, List.of(), List.of(times.all(place.workload())))
                .endOfWaiting(0);
        boolean mayPass = SAFETY * alone <= left;
        FailureException unreachable = FailureException.of(
                ErrorReason.DEADLINE_UNREACHABLE,
                String.format(
                        Locale.ROOT,
                        "the generation is expected to end in %.1f s%s, not safely within the %.1f s that the call has left",
                        expected,
                        mayPass ? "" : String.format(Locale.ROOT, ", alone in %.1f s", alone),
                        left),
                Map.of(
                        "expected_seconds", String.format(Locale.ROOT, "%.3f", expected),
                        "left_seconds", String.format(Locale.ROOT, "%.3f", left)));
        throw mayPass ? unreachable.retryAfter(spread(SAFETY * expected - left)) : unreachable;
    }

    private enum Verdict {
        STARTS,
        HOLDS,
        TOO_LATE
    }

    /** Whether the one whose turn it is starts now; there is a place for it. */
    private Verdict verdict(Place next, long now) {
        if (!times.isMeasured() || (!next.hasDeadline() && running.stream().noneMatch(Place::hasDeadline))) {
            return Verdict.STARTS;
        }
        List<Remaining> started = started(now);
        Forecast with = times.forecast(0, limit.current(), started, List.of(times.all(next.workload())));
        if (with.endOfWaiting(0) > next.left(now)
                && times.isMeasured(next.workload().variant())) {
            return Verdict.TOO_LATE;
        }
        Forecast without = times.forecast(0, limit.current(), started, List.of());
        int i = 0;
        for (Place other : running) {
            double left = other.left(now);
            if (MARGIN * with.endOfRunning(i) > left && without.endOfRunning(i) <= left) {
                return Verdict.HOLDS;
            }
            i++;
        }
        return Verdict.STARTS;
    }

    /** Whether a running generation has no chance any more. */
    private boolean isLate(Place place, long now) {
        if (!place.hasDeadline() || !times.isMeasured(place.workload().variant())) {
            return false;
        }
        double left = LATE * place.left(now);
        Remaining rest = remaining(place, now);
        double calls = rest.guidedCalls() + rest.plainCalls();
        if (calls * times.pace(place.workload().variant()).at(rows) + rest.after() <= left) {
            return false; // in time even if everybody goes on: nothing to simulate
        }
        int index = new ArrayList<>(running).indexOf(place);
        return times.forecast(0, limit.current(), started(now), List.of()).endOfRunning(index) > left;
    }

    private void leaveQueue(Place place) {
        if (place == waiting.peek()) {
            waiting.poll();
        } else {
            waiting.remove(place.caller, place);
        }
        queuedBytes -= place.demand().bytes();
        nextEndKnown = false;
        tellLater();
    }

    private void run(Place place) {
        try {
            place.generation().run();
        } finally {
            List<Runnable> calls = new ArrayList<>();
            synchronized (this) {
                long now = nanoTime.getAsLong();
                running.remove(place);
                gone(place, now);
                nextEndKnown = false;
                startWhoCan(now, calls);
                if (running.isEmpty()) {
                    notifyAll(); // whoever shuts down
                }
            }
            calls.forEach(Runnable::run);
        }
    }

    private void become(Place place, State next, long now) {
        integrateRows(now);
        rows -= place.rows();
        place.become(next, now);
        rows += place.rows();
    }

    private void integrateRows(long now) {
        rowSeconds += rows * seconds(now - rowSecondsUntil);
        rowSecondsUntil = now;
    }

    // What waits is told where it is.

    private void tellLater() {
        if (!telling && waiting.size() > 0) {
            telling = true;
            var unused = timer.schedule(this::tell, TELL_MICROS + TELL_MICROS_EACH * waiting.size(), MICROSECONDS);
        }
    }

    private void tell() {
        List<Runnable> calls = new ArrayList<>();
        synchronized (this) {
            telling = false;
            List<Place> order = waiting.inOrder();
            Forecast forecast = forecast(order, nanoTime.getAsLong());
            for (int i = 0; i < order.size(); i++) {
                Place place = order.get(i);
                if (place.told != i + 1) {
                    place.told = i + 1;
                    Turn turn = turn(i, forecast);
                    calls.add(() -> place.generation().moved(turn));
                }
            }
        }
        calls.forEach(Runnable::run);
    }

    private Turn turn(int index, Forecast forecast) {
        return new Turn(
                index + 1, times.isMeasured() ? Optional.of(duration(forecast.start(index))) : Optional.empty());
    }

    /** What is to be expected of those who run and these who wait, under the load of now. */
    private Forecast forecast(List<Place> order, long now) {
        List<Remaining> toStart =
                order.stream().map(place -> times.all(place.workload())).toList();
        return times.forecast(rows, limit.current(), started(now), toStart);
    }

    private List<Remaining> started(long now) {
        return running.stream().map(place -> remaining(place, now)).toList();
    }

    private Remaining remaining(Place place, long now) {
        Workload workload = place.workload();
        return switch (place.state) {
            case RESERVED, WAITING -> times.all(workload);
            case BEGUN -> times.begun(workload, seconds(now - place.since));
            case DENOISING -> times.denoising(workload, place.stepsDone);
            case FINISHING, GONE -> times.finishing(workload, seconds(now - place.since));
        };
    }

    // Refusals.

    private FailureException full(String message) {
        refused();
        long now = nanoTime.getAsLong();
        return FailureException.of(ErrorReason.QUEUE_FULL, message).retryAfter(spread(untilNextEnd(now)));
    }

    private FailureException ofCallerFull() {
        refused();
        return FailureException.of(
                        ErrorReason.QUOTA_EXCEEDED,
                        "a caller may have " + places.limit()
                                + " generations that run or wait; try again when one has ended",
                        Map.of("quota", "generations-per-caller", "limit", Integer.toString(places.limit())))
                .retryAfter(spread(untilNextEnd(nanoTime.getAsLong())));
    }

    private void refused() {
        refusals++;
        if (refusals == refusalsLogged + 1) {
            var unused = timer.schedule(this::logRefusals, 10, SECONDS);
        }
    }

    private synchronized void logRefusals() {
        LOG.infof(
                "turned %d generations away in 10 s; %d run, %d wait",
                refusals - refusalsLogged, running.size(), waiting.size());
        refusalsLogged = refusals;
    }

    /** Seconds until a running generation ends; 0 if nobody knows. */
    private double untilNextEnd(long now) {
        double age = seconds(now - nextEndForecast);
        if (!nextEndKnown || age > FORECAST_SECONDS) {
            Forecast forecast = forecast(List.of(), now);
            nextEnd = 0;
            if (times.isMeasured() && !running.isEmpty()) {
                nextEnd = Double.POSITIVE_INFINITY;
                for (int i = 0; i < running.size(); i++) {
                    nextEnd = Math.min(nextEnd, forecast.endOfRunning(i));
                }
            }
            nextEndForecast = now;
            nextEndKnown = true;
            age = 0;
        }
        return Math.max(0, nextEnd - age);
    }

    /** Not before the configured delay, and refused callers not all at once. */
    private Duration spread(double seconds) {
        double least = Math.max(Math.min(seconds, LONGEST_RETRY_SECONDS), seconds(retryAfter.toNanos()));
        return duration(least * (1 + SPREAD * (refusals * GOLDEN_RATIO % 1)));
    }

    private static double seconds(long nanos) {
        return nanos / 1e9;
    }

    private static Duration duration(double seconds) {
        return Duration.ofNanos(Math.round(seconds * 1e9));
    }
}
