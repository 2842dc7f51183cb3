package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long a generation has taken, and from its steps up to now how long it will take; a guided step asks for two rows
 * where another asks for one, and counts twice. One owner, one thread.
 */
final class Pace {
    private final LongSupplier nanoTime;
    private final long start;
    private final int steps;
    private final int guidedSteps;
    private final Duration finishing;
    private long firstStep;

    /**
     * Starts.
     *
     * @param nanoTime as {@link System#nanoTime}
     * @param steps how many there will be
     * @param guidedSteps how many of them, from the first on, are guided
     * @param finishing what is expected to be left after the last of them
     */
    Pace(LongSupplier nanoTime, int steps, int guidedSteps, Duration finishing) {
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
        this.firstStep = start;
        this.steps = steps;
        this.guidedSteps = guidedSteps;
        this.finishing = finishing;
    }

    /** The steps begin now. */
    void stepsBegin() {
        firstStep = nanoTime.getAsLong();
    }

    /** This many steps are done, at least one. */
    Progress stepDone(int done) {
        Duration perRow = Duration.ofNanos((nanoTime.getAsLong() - firstStep) / rows(done));
        Duration stepsToCome = perRow.multipliedBy(rows(steps) - rows(done));
        return new Progress(done, steps, elapsed(), stepsToCome.plus(finishing));
    }

    Duration elapsed() {
        return Duration.ofNanos(nanoTime.getAsLong() - start);
    }

    /** Rows of a portrait in the first so many steps. */
    private int rows(int ofSteps) {
        return ofSteps + Math.min(ofSteps, guidedSteps);
    }
}
