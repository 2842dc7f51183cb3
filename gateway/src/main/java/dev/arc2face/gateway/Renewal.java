package dev.arc2face.gateway;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import org.jboss.logging.Logger;

/**
 * Certificates that are read again and again, so that renewed ones are used without a restart. What cannot be read is
 * logged, and what was read before holds. (gRPC's own renewal comes at most once a minute.)
 */
public final class Renewal {
    private static final Logger LOG = Logger.getLogger(Renewal.class);

    private Renewal() {}

    /** Takes what files hold now. */
    public interface Reading {
        /** Reads them; throws where they are not there, or not what they should be. */
        void read() throws IOException, GeneralSecurityException;
    }

    /**
     * Reads now and every interval from now on.
     *
     * @param thread on which it is read later
     */
    public static void every(Duration interval, ScheduledExecutorService thread, Reading reading)
            throws IOException, GeneralSecurityException {
        reading.read();
        Runnable again = () -> {
            try {
                reading.read();
            } catch (IOException | GeneralSecurityException | RuntimeException unusable) {
                LOG.errorf("a certificate cannot be read, and the one before holds: %s", unusable.getMessage());
            }
        };
        var unused = thread.scheduleWithFixedDelay(again, interval.toNanos(), interval.toNanos(), NANOSECONDS);
    }
}
