package dev.arc2face.gateway.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;

/**
 * Shows how far a generation is. On a terminal it is one line that is redrawn in place, its remaining time counting
 * down between events; elsewhere a line at each quarter, and one whenever {@link #PATIENCE} has passed without any.
 * Everything else that goes to the same stream must go through {@link #above}. Safe for use by several threads.
 */
final class ProgressDisplay implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final int BAR_CELLS = 24;
    private static final String ERASE_LINE = "\r\u001b[2K";

    private final PrintStream stream;
    private final boolean live;
    private final InstantSource clock;

    private String shown = "";
    private int step;
    private int total;
    private Duration remaining = Duration.ZERO;
    private Instant updated;
    private Instant printed;
    private int quarters;

    ProgressDisplay(PrintStream stream, boolean live, InstantSource clock) {
        this.stream = stream;
        this.live = live;
        this.clock = clock;
        updated = clock.instant();
        printed = updated;
    }

    /** A step is done, and so much time is expected to remain. */
    synchronized void step(int newStep, int newTotal, Duration newRemaining) {
        step = newStep;
        total = Math.max(newTotal, 1);
        remaining = newRemaining;
        updated = clock.instant();
        if (live) {
            redraw();
        } else if (4 * step / total > quarters
                || Duration.between(printed, updated).compareTo(PATIENCE) >= 0) {
            quarters = 4 * step / total;
            printed = updated;
            stream.println(line());
            stream.flush();
        }
    }

    /** Counts the remaining time down; for a terminal only. */
    synchronized void tick() {
        if (live && total > 0) {
            redraw();
        }
    }

    /** Prints something to the stream, with the live line out of the way. */
    synchronized void above(Runnable printing) {
        erase();
        printing.run();
        if (live && total > 0) {
            redraw();
        }
    }

    /** Takes the live line away. */
    @Override
    public synchronized void close() {
        erase();
        total = 0;
    }

    private void redraw() {
        String line = line();
        if (!line.equals(shown)) {
            erase();
            stream.print(line);
            stream.flush();
            shown = line;
        }
    }

    private void erase() {
        if (!shown.isEmpty()) {
            stream.print(ERASE_LINE);
            stream.flush();
            shown = "";
        }
    }

    private String line() {
        int filled = (int) ((long) BAR_CELLS * step / total);
        String bar = "#".repeat(filled) + "-".repeat(BAR_CELLS - filled);
        Duration left = remaining.minus(Duration.between(updated, clock.instant()));
        return String.format(Locale.ROOT, "[%s] step %d/%d, %s left", bar, step, total, Durations.format(left));
    }
}
