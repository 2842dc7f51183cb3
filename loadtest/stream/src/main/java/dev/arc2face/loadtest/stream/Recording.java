package dev.arc2face.loadtest.stream;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * What a run has measured so far. Any thread may record at any time without waiting for another. Histograms are in
 * microseconds, three digits exact.
 */
final class Recording {
    private static final int DIGITS = 3;

    /** What became of the calls that ended in one way. */
    static final class Calls {
        final LongAdder calls = new LongAdder();
        /** Those that got an event at least. */
        final LongAdder admitted = new LongAdder();
        /** Those of the admitted that had a deadline. */
        final LongAdder admittedWithDeadline = new LongAdder();

        final LongAdder steps = new LongAdder();
        /** A step of a call with n portraits is n of them. */
        final LongAdder pictureSteps = new LongAdder();

        final LongAdder pictures = new LongAdder();
        final LongAdder retryInfos = new LongAdder();
    }

    /** What happened inside the window, whichever calls it belonged to. */
    static final class Throughput {
        final LongAdder steps = new LongAdder();
        final LongAdder pictureSteps = new LongAdder();
        final LongAdder pictures = new LongAdder();
        /** Calls that ended well, and the picture steps in them. */
        final LongAdder goodCalls = new LongAdder();

        final LongAdder goodPictureSteps = new LongAdder();
    }

    /** What happened since the start, for whoever looks on. */
    static final class Live {
        final LongAdder started = new LongAdder();
        final LongAdder ended = new LongAdder();
        final LongAdder good = new LongAdder();
        final LongAdder refused = new LongAdder();
        final LongAdder steps = new LongAdder();
    }

    final Throughput throughput = new Throughput();
    final Live live = new Live();
    private final Window window;
    private final Map<Metric, Histogram> histograms = new EnumMap<>(Metric.class);
    private final SortedMap<Integer, Histogram> totalBySteps = new ConcurrentSkipListMap<>();
    private final SortedMap<Ending.Outcome, Calls> outcomes = new ConcurrentSkipListMap<>();

    Recording(Window window) {
        this.window = window;
        for (Metric metric : Metric.values()) {
            histograms.put(metric, histogram());
        }
    }

    Window window() {
        return window;
    }

    void record(Metric metric, long nanos) {
        record(histogram(metric), nanos);
    }

    void recordTotal(int steps, long nanos) {
        record(Metric.TOTAL, nanos);
        record(totalBySteps.computeIfAbsent(steps, unused -> histogram()), nanos);
    }

    Calls calls(Ending.Outcome outcome) {
        return outcomes.computeIfAbsent(outcome, unused -> new Calls());
    }

    Histogram histogram(Metric metric) {
        return requireNonNull(histograms.get(metric));
    }

    /** {@link Metric#TOTAL} apart for each number of steps. */
    SortedMap<Integer, Histogram> totalBySteps() {
        return Collections.unmodifiableSortedMap(totalBySteps);
    }

    SortedMap<Ending.Outcome, Calls> outcomes() {
        return Collections.unmodifiableSortedMap(outcomes);
    }

    private static void record(Histogram histogram, long nanos) {
        histogram.recordValue(Math.max(0, nanos) / 1000);
    }

    private static Histogram histogram() {
        return new ConcurrentHistogram(DIGITS);
    }
}
