package dev.arc2face.gateway.cli;

import dev.arc2face.gateway.DaemonThreads;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Shows how far something is, or where it waits. On a terminal it is one line that is redrawn in place, its remaining
 * time counting down between events; elsewhere a line at each quarter, and one whenever {@link #PATIENCE} has passed
 * without any. Everything else that goes to the same stream must go through {@link #above}. Safe for use by several
 * threads.
 */
final class ProgressDisplay implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final int BAR_CELLS = 24;
    private static final String ERASE_LINE = "\r\u001b[2K";

    private final PrintStream stream;
    private final boolean live;
    private final InstantSource clock;
    private final String unit;

    private String shown = "";
    private int position; // in the queue; 0 is not waiting
    private boolean waitIsKnown;
    private int step;
    private int total;
    private Duration remaining = Duration.ZERO;
    private Instant updated;
    private Instant printed;
    private int quarters;

    /** @param unit what is counted, such as {@code step} */
    ProgressDisplay(PrintStream stream, boolean live, InstantSource clock, String unit) {
        this.stream = stream;
        this.live = live;
        this.clock = clock;
        this.unit = unit;
        updated = clock.instant();
        printed = updated;
    }

    /** It waits at a place in the queue, 1 being the next to start, and is expected to start after so much time. */
    synchronized void waiting(int newPosition, Optional<Duration> expectedWait) {
        boolean isNew = position == 0;
        position = newPosition;
        waitIsKnown = expectedWait.isPresent();
        remaining = expectedWait.orElse(Duration.ZERO);
        updated = clock.instant();
        show(isNew);
    }

    /** It waits no longer. */
    synchronized void begin() {
        position = 0;
        erase();
    }

    /** A step is done, and so much time is expected to remain. */
    synchronized void step(int newStep, int newTotal, Duration newRemaining) {
        step = newStep;
        total = Math.max(newTotal, 1);
        remaining = newRemaining;
        updated = clock.instant();
        show(4 * step / total > quarters);
    }

    private void show(boolean isNews) {
        if (live) {
            redraw();
        } else if (isNews || Duration.between(printed, updated).compareTo(PATIENCE) >= 0) {
            quarters = total == 0 ? 0 : 4 * step / total;
            printed = updated;
            stream.println(line());
            stream.flush();
        }
    }

    /** Counts the remaining time down; for a terminal only. */
    synchronized void tick() {
        if (live && hasLine()) {
            redraw();
        }
    }

    /** Calls {@link #tick} several times a second until it is shut down. */
    ScheduledExecutorService ticker() {
        ScheduledExecutorService ticker = Executors.newSingleThreadScheduledExecutor(new DaemonThreads("progress"));
        var unused = ticker.scheduleAtFixedRate(this::tick, 250, 250, TimeUnit.MILLISECONDS);
        return ticker;
    }

    /** Prints something to the stream, with the live line out of the way. */
    synchronized void above(Runnable printing) {
        erase();
        printing.run();
        if (live && hasLine()) {
            redraw();
        }
    }

    /** Takes the live line away. */
    @Override
    public synchronized void close() {
        erase();
        total = 0;
        position = 0;
    }

    private boolean hasLine() {
        return total > 0 || position > 0;
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
        Duration left = remaining.minus(Duration.between(updated, clock.instant()));
        if (position > 0) {
            return "waiting, place " + position + " in the queue"
                    + (waitIsKnown ? ", about " + Durations.format(left) : "");
        }
        int filled = (int) ((long) BAR_CELLS * step / total);
        String bar = "#".repeat(filled) + "-".repeat(BAR_CELLS - filled);
        return String.format(Locale.ROOT, "[%s] %s %d/%d, %s left", bar, unit, step, total, Durations.format(left));
    }
}
