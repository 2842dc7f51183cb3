package dev.arc2face.loadtest.stream;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run from the first connection to the last call's end: the idle streams are opened, the slow readers begin, then the
 * load that is measured; at the end every call that is open may still end by itself, for a while.
 */
final class Run {
    /** From when everything is set up to the run's first moment. */
    private static final Duration LEAD = Duration.ofMillis(100);

    private static final Duration CANCELLATION_PATIENCE = Duration.ofSeconds(5);
    /** So far from the first call's index that no seed comes twice. */
    private static final long FIRST_OF_SLOW_READERS = 1 << 27;

    private final Load load;
    private final Mix mix;
    private final List<ByteString> photos;
    private final Consumer<Recording> everySecond;
    private volatile double cpuAtFrom = Double.NaN;
    private volatile double cpuAtTo = Double.NaN;

    /** @param everySecond shown the recording once a second */
    Run(Load load, Mix mix, List<ByteString> photos, Consumer<Recording> everySecond) {
        this.load = load;
        this.mix = mix;
        this.photos = photos;
        this.everySecond = everySecond;
    }

    /** Runs until the end, or until this thread is interrupted; either way what was measured is returned. */
    Result run() {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(Run::daemon);
        try (Connections connections = new Connections(load.target, load.connections)) {
            RequestMix requests = new RequestMix(mix, connections.served(), photos);
            return run(timer, connections, requests);
        } finally {
            timer.shutdownNow();
        }
    }

    private Result run(ScheduledExecutorService timer, Connections connections, RequestMix requests) {
        @Nullable IdleStreams idle = null;
        try (Connections idleConnections = Connections.ofSlowReaders(load.target, load.connections);
                Connections slowConnections = Connections.ofSlowReaders(load.target, Math.max(1, load.slowReaders))) {
            idle = new IdleStreams(load.idleStreams, load.idleKind, idleConnections, requests);

            Instant began = Instant.now();
            long start = System.nanoTime() + LEAD.toNanos();
            Window window = new Window(start, load.warmUp, load.measured());
            Recording recording = new Recording(window);
            Recording slowRecording = new Recording(window);
            OpenCalls open = new OpenCalls();
            OpenCalls slowOpen = new OpenCalls();
            var slowReading = new StreamCall.SlowReading(load.slowReadEvery, timer);
            ClosedLoop slow = new ClosedLoop(
                    load.slowReaders,
                    index -> new StreamCall(
                            slowConnections.channel(index),
                            requests.call(FIRST_OF_SLOW_READERS + index),
                            slowReading,
                            slowRecording,
                            slowOpen),
                    timer,
                    Long.MAX_VALUE,
                    window.to());
            Caller caller =
                    index -> new StreamCall(connections.channel(index), requests.call(index), null, recording, open);

            var unused = timer.scheduleAtFixedRate(() -> everySecond.accept(recording), 1, 1, SECONDS);
            at(window.from(), timer, () -> cpuAtFrom = Usage.cpuSeconds());
            at(window.to(), timer, () -> cpuAtTo = Usage.cpuSeconds());
            try {
                OpenLoop.sleepUntil(start);
                slow.start(start);
                drive(caller, timer, start, window.to());
                open.awaitNone(load.drain);
            } catch (InterruptedException e) {
                // The person wants the end; what was measured so far is what there is.
            }
            slow.stop();
            window.close(System.nanoTime());
            cutOff(open);
            cutOff(slowOpen);
            Map<String, Integer> idleEnded = idle.ended();
            double cpu = Usage.cpuSeconds();
            double cpuInWindow = (Double.isNaN(cpuAtTo) ? cpu : cpuAtTo) - (Double.isNaN(cpuAtFrom) ? cpu : cpuAtFrom);
            return new Result(
                    connections.served(),
                    began,
                    recording,
                    slowRecording,
                    idle.opened(),
                    idleEnded,
                    window.seconds(System.nanoTime()),
                    cpuInWindow,
                    cpu);
        } finally {
            if (idle != null) {
                idle.close();
            }
        }
    }

    /** Starts the load that is measured; returns when nothing is left to start. */
    private void drive(Caller caller, ScheduledExecutorService timer, long start, long end)
            throws InterruptedException {
        if (load.loop.rate != null) {
            new OpenLoop(Arrivals.of(load.arrivals, load.loop.rate, mix.seed), caller)
                    .run(load.mostRequests(), start, end);
        } else {
            ClosedLoop loop = new ClosedLoop(load.loop.callers, caller, timer, load.mostRequests(), end);
            loop.start(start);
            loop.await();
        }
    }

    private static void cutOff(OpenCalls open) {
        open.cutOff();
        try {
            open.awaitNone(CANCELLATION_PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void at(long moment, ScheduledExecutorService timer, Runnable task) {
        var unused = timer.schedule(task, moment - System.nanoTime(), NANOSECONDS);
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "timer");
        thread.setDaemon(true);
        return thread;
    }
}
