package dev.arc2face.gateway.face;

import dev.arc2face.gateway.trace.Spans;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Adds up the wall-clock time that one call spends in each stage, and makes each stage a span. A failing stage counts;
 * stages do not nest, but may run side by side on several threads.
 */
public final class StageClock {
    private final LongSupplier nanoTime;
    private final EnumMap<Stage, Duration> timings = new EnumMap<>(Stage.class);

    public StageClock() {
        this(System::nanoTime);
    }

    StageClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Does the work and counts its time to the stage. */
    public <T> T time(Stage stage, Supplier<T> work) {
        long start = nanoTime.getAsLong();
        try {
            return Spans.in(stage.id(), work);
        } finally {
            Duration taken = Duration.ofNanos(nanoTime.getAsLong() - start);
            synchronized (timings) {
                timings.merge(stage, taken, Duration::plus);
            }
        }
    }

    /** Does the work and counts its time to the stage. */
    public void run(Stage stage, Runnable work) {
        Object unused = time(stage, () -> {
            work.run();
            return stage;
        });
    }

    /** Time spent in each stage entered so far, in the order of the stages. */
    public Map<Stage, Duration> timings() {
        synchronized (timings) {
            return new EnumMap<>(timings);
        }
    }
}
