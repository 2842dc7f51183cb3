package dev.arc2face.gateway.admission;

import dev.arc2face.gateway.FailureException;

/** What a place is taken for, told what becomes of it. */
public interface Generation {
    /** Its turn has come; runs on a thread of its own and must not throw. */
    void run();

    /** It has moved up while it waits; comes on a thread that must not be held, and may come a little late. */
    void moved(Turn turn);

    /** It waits no longer and will never run. */
    void withdrawn(FailureException why);

    /** It runs, and has to end now. */
    void stopped(FailureException why);
}
