package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import java.time.Duration;
import java.util.function.LongSupplier;

/** How long a generation has taken, and from its mean step how long it will take. One owner, one thread. */
final class Pace {
    private final LongSupplier nanoTime;
    private final long start;
    private final int steps;
    private final Duration finishing;
    private long firstStep;

    /**
     * Starts.
     *
     * @param nanoTime as {@link System#nanoTime}
     * @param steps how many there will be
     * @param finishing what is expected to be left after the last of them
     */
    Pace(LongSupplier nanoTime, int steps, Duration finishing) {
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
        this.firstStep = start;
        this.steps = steps;
        this.finishing = finishing;
    }

    /** The steps begin now. */
    void stepsBegin() {
        firstStep = nanoTime.getAsLong();
    }

    /** This many steps are done, at least one. */
    Progress stepDone(int done) {
        Duration meanStep = Duration.ofNanos((nanoTime.getAsLong() - firstStep) / done);
        return new Progress(
                done, steps, elapsed(), meanStep.multipliedBy(steps - done).plus(finishing));
    }

    Duration elapsed() {
        return Duration.ofNanos(nanoTime.getAsLong() - start);
    }
}
