package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long a generation has taken, and from the steps of its present attempt up to now how long that will take; a guided
 * step asks for two rows where another asks for one, and counts twice. One owner, one thread.
 */
final class Pace {
    private final LongSupplier nanoTime;
    private final long start;
    private final int steps;
    private final int guidedSteps;
    private final Duration finishingEach;
    private int attempt;
    private int portraits;
    private long firstStep;

    /**
     * Starts.
     *
     * @param nanoTime as {@link System#nanoTime}
     * @param steps how many an attempt has
     * @param guidedSteps how many of them, from the first on, are guided
     * @param finishingEach what a portrait is expected to take after the last of them
     */
    Pace(LongSupplier nanoTime, int steps, int guidedSteps, Duration finishingEach) {
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
        this.firstStep = start;
        this.steps = steps;
        this.guidedSteps = guidedSteps;
        this.finishingEach = finishingEach;
    }

    /** The steps of the next attempt, at so many portraits, begin now. */
    void stepsBegin(int ofPortraits) {
        attempt++;
        portraits = ofPortraits;
        firstStep = nanoTime.getAsLong();
    }

    /** This many steps of the attempt are done, at least one. */
    Progress stepDone(int done) {
        Duration perRow = Duration.ofNanos((nanoTime.getAsLong() - firstStep) / rows(done));
        Duration stepsToCome = perRow.multipliedBy(rows(steps) - rows(done));
        Duration remaining = stepsToCome.plus(finishingEach.multipliedBy(portraits));
        return new Progress(attempt, portraits, done, steps, elapsed(), remaining);
    }

    Duration elapsed() {
        return Duration.ofNanos(nanoTime.getAsLong() - start);
    }

    /** Rows of a portrait in the first so many steps. */
    private int rows(int ofSteps) {
        return ofSteps + Math.min(ofSteps, guidedSteps);
    }
}
