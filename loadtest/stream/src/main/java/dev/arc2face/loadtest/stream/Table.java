package dev.arc2face.loadtest.stream;

import java.util.Locale;
import org.HdrHistogram.Histogram;

/** A recording for a person to read. */
final class Table {
    private Table() {}

    /** All of it: latencies, outcomes, throughput. */
    static String of(Recording recording, double seconds) {
        StringBuilder text = new StringBuilder();
        line(text, "%-24s %8s %10s %10s %10s %10s %10s %10s", "", "count", "p50", "p90", "p95", "p99", "p99.9", "max");
        for (Metric metric : Metric.values()) {
            latency(text, metric.title(), recording.histogram(metric));
        }
        if (recording.totalBySteps().size() > 1) {
            recording.totalBySteps().forEach((steps, total) -> latency(text, "total of " + steps + " steps", total));
        }
        line(text, "%n%-36s %8s %9s %9s %9s %10s", "", "calls", "admitted", "steps", "pictures", "RetryInfo");
        recording
                .outcomes()
                .forEach((outcome, calls) -> line(
                        text,
                        "%-36s %8d %9d %9d %9d %10d",
                        outcome,
                        calls.calls.sum(),
                        calls.admitted.sum(),
                        calls.steps.sum(),
                        calls.pictures.sum(),
                        calls.retryInfos.sum()));
        Recording.Throughput throughput = recording.throughput;
        line(
                text,
                "%nin the window of %.1f s: %.1f steps/s, %.1f picture steps/s (%.1f of calls that ended well),"
                        + " %.2f pictures/s, %.2f calls/s that ended well",
                seconds,
                throughput.steps.sum() / seconds,
                throughput.pictureSteps.sum() / seconds,
                throughput.goodPictureSteps.sum() / seconds,
                throughput.pictures.sum() / seconds,
                throughput.goodCalls.sum() / seconds);
        return text.toString();
    }

    private static void latency(StringBuilder text, String title, Histogram histogram) {
        if (histogram.getTotalCount() == 0) {
            return;
        }
        StringBuilder values = new StringBuilder();
        Percentiles.of(histogram)
                .values()
                .forEach(value -> values.append(String.format(Locale.ROOT, " %10s", Durations.formatMicros(value))));
        line(text, "%-24s %8d%s", title, histogram.getTotalCount(), values);
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
    }
}
