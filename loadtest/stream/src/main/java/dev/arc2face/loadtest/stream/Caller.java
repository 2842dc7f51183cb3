package dev.arc2face.loadtest.stream;

import java.util.function.Consumer;

/** Makes the calls of a loop. */
@FunctionalInterface
interface Caller {
    /** Makes everything of call {@code index} that can be made before it is due. */
    Prepared prepare(long index);

    /** A call that has not been started. */
    @FunctionalInterface
    interface Prepared {
        /**
         * Starts the call and returns without waiting for anything.
         *
         * @param intended when it was meant to start, on {@link System#nanoTime()}'s scale
         * @param whenEnded told once, when the call has ended, however it ended
         */
        void start(long intended, Consumer<Ending> whenEnded);
    }
}
