package dev.arc2face.loadtest.stream;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Consumer;

/** What goes on, once a second: on a terminal the table so far, redrawn in place, elsewhere a line. One thread at a time. */
final class LiveView implements Consumer<Recording> {
    private final PrintStream out;
    private final boolean terminal;
    private long seconds;
    private int drawn;
    private long started;
    private long ended;
    private long good;
    private long refused;
    private long steps;

    LiveView(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    @Override
    public void accept(Recording recording) {
        long now = System.nanoTime();
        String line = line(recording);
        if (!terminal) {
            out.println(line);
            return;
        }
        clear();
        String text = line
                + System.lineSeparator()
                + Table.of(recording, recording.window().seconds(now));
        out.print(text);
        out.flush();
        drawn = (int) text.lines().count();
    }

    /** Takes the table off the terminal. */
    void clear() {
        if (drawn > 0) {
            out.printf(Locale.ROOT, "\u001b[%dA\u001b[J", drawn);
            drawn = 0;
        }
    }

    private String line(Recording recording) {
        Recording.Live live = recording.live;
        long startedBefore = started;
        long endedBefore = ended;
        long goodBefore = good;
        long refusedBefore = refused;
        long stepsBefore = steps;
        started = live.started.sum();
        ended = live.ended.sum();
        good = live.good.sum();
        refused = live.refused.sum();
        steps = live.steps.sum();
        long bad = ended - endedBefore - (good - goodBefore) - (refused - refusedBefore);
        return String.format(
                Locale.ROOT,
                "%4d s  open %d  started %d/s  good %d/s  refused %d/s  otherwise ended %d/s  steps %d/s"
                        + "  first progress p50 %s p99 %s  total p50 %s p99 %s",
                ++seconds,
                started - ended,
                started - startedBefore,
                good - goodBefore,
                refused - refusedBefore,
                bad,
                steps - stepsBefore,
                percentile(recording, Metric.FIRST_PROGRESS, 50),
                percentile(recording, Metric.FIRST_PROGRESS, 99),
                percentile(recording, Metric.TOTAL, 50),
                percentile(recording, Metric.TOTAL, 99));
    }

    private static String percentile(Recording recording, Metric metric, double percentile) {
        return recording.histogram(metric).getTotalCount() == 0
                ? "-"
                : Durations.formatMicros(recording.histogram(metric).getValueAtPercentile(percentile));
    }
}
