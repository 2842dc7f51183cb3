package dev.arc2face.gateway;

import static java.util.concurrent.TimeUnit.SECONDS;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** Waits for what other threads and processes bring about. */
public final class Waiting {
    /** Of no concern to a test that passes; enough for a machine that does other work, too. */
    private static final int PATIENCE_SECONDS = 60;

    private Waiting() {}

    /** Waits for a minute, unless told otherwise. */
    public static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE_SECONDS, SECONDS);
    }
}
