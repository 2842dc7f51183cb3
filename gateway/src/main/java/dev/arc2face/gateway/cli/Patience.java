package dev.arc2face.gateway.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Tries again what failed for a reason that passes: a server that is away or full, a disk that is full. It gives up when
 * nothing has succeeded for a while, on any thread; somebody is told when that while has become noticeable. Safe for use by several threads.
 */
final class Patience {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final Duration UNNOTICED = Duration.ofSeconds(3);

    private final Duration limit;
    private final InstantSource clock;
    private final Consumer<String> notices;

    private Instant succeeded;
    private boolean told;

    /** A failure that may pass. */
    static final class Passing extends Exception {
        private final CommandFailure failure;
        private final Optional<Duration> retryAfter;

        /** @param retryAfter what the server advises */
        Passing(CommandFailure failure, Optional<Duration> retryAfter) {
            super(failure);
            this.failure = failure;
            this.retryAfter = retryAfter;
        }
    }

    /** What is tried. */
    interface Work<T> {
        T run() throws Passing;
    }

    /**
     * Patience.
     *
     * @param limit how long nothing may succeed
     * @param notices get a sentence when it waits for something, and when that has come
     */
    Patience(Duration limit, InstantSource clock, Consumer<String> notices) {
        this.limit = limit;
        this.clock = clock;
        this.notices = notices;
        succeeded = clock.instant();
    }

    /**
     * The work's result, of the attempt that succeeds.
     *
     * @throws CommandFailure the last failure, when patience is over
     */
    <T> T outlast(Work<T> work) throws InterruptedException {
        Duration pause = FIRST_PAUSE;
        while (true) {
            try {
                T result = work.run();
                succeed();
                return result;
            } catch (Passing passing) {
                giveUpOrTell(passing);
                Duration advised = passing.retryAfter.orElse(pause);
                Thread.sleep(min(advised, LONGEST_PAUSE).toMillis());
                pause = min(pause.multipliedBy(2), LONGEST_PAUSE);
            }
        }
    }

    private synchronized void succeed() {
        succeeded = clock.instant();
        if (told) {
            told = false;
            notices.accept("it goes on");
        }
    }

    private synchronized void giveUpOrTell(Passing passing) {
        Duration lost = Duration.between(succeeded, clock.instant());
        if (lost.compareTo(limit) >= 0) {
            throw passing.failure;
        }
        if (!told && lost.compareTo(UNNOTICED) >= 0) {
            told = true;
            notices.accept(passing.failure.message() + "; trying for up to " + Durations.format(limit));
        }
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
