package dev.arc2face.gateway.admission;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Denoising steps that each caller may have computed in a minute, a step of two portraits counted twice: a bucket that
 * holds a minute's worth and is refilled evenly. A request for more than the bucket holds needs a full one and leaves a
 * debt, so that it is not refused for ever. Further attempts of a generation that has begun are taken without asking, and
 * leave a debt, too. Safe to use from any number of threads.
 */
public final class StepQuota {
    private static final double SECONDS = 60;
    /** Callers whose buckets are full again are forgotten when there are so many. */
    private static final int MANY = 4096;

    private final int perMinute;
    private final LongSupplier nanoTime;
    private final Map<String, Bucket> buckets = new HashMap<>(); // of those that are not full; guarded by this
    private int forgetAt = MANY;

    private record Bucket(double steps, long at) {}

    /** What a generation is charged with. */
    public final class Charge {
        private final String caller;
        private final long steps;

        private Charge(String caller, long steps) {
            this.caller = caller;
            this.steps = steps;
        }

        /**
         * Takes the steps from the caller's bucket.
         *
         * @throws FailureException QUOTA_EXCEEDED, with the time after which there will be enough
         */
        public void take() {
            StepQuota.this.take(caller, steps);
        }

        /** Takes so many more, whether they are there or not. */
        public void takeMore(long more) {
            StepQuota.this.takeMore(caller, more);
        }

        /** It came to nothing. */
        public void giveBack() {
            StepQuota.this.giveBack(caller, steps);
        }
    }

    /**
     * @param perMinute 0 limits nothing
     * @param nanoTime as {@link System#nanoTime}
     */
    public StepQuota(int perMinute, LongSupplier nanoTime) {
        this.perMinute = perMinute;
        this.nanoTime = nanoTime;
    }

    public Charge charge(String caller, long steps) {
        return new Charge(caller, steps);
    }

    private synchronized void take(String caller, long steps) {
        if (perMinute == 0) {
            return;
        }
        long now = nanoTime.getAsLong();
        double there = there(caller, now);
        double needed = Math.min(steps, perMinute);
        if (there < needed) {
            throw FailureException.of(
                            ErrorReason.QUOTA_EXCEEDED,
                            "a caller may have " + perMinute + " denoising steps a minute computed, each portrait's"
                                    + " counted; try again later, or ask for fewer",
                            Map.of("quota", "image-steps-per-minute", "limit", Integer.toString(perMinute)))
                    .retryAfter(Duration.ofNanos(Math.round((needed - there) / perMinute * SECONDS * 1e9)));
        }
        buckets.put(caller, new Bucket(there - steps, now));
        forgetFull(now);
    }

    private synchronized void takeMore(String caller, long steps) {
        if (perMinute != 0) {
            long now = nanoTime.getAsLong();
            buckets.put(caller, new Bucket(there(caller, now) - steps, now));
            forgetFull(now);
        }
    }

    private synchronized void giveBack(String caller, long steps) {
        if (perMinute != 0) {
            long now = nanoTime.getAsLong();
            buckets.put(caller, new Bucket(Math.min(perMinute, there(caller, now) + steps), now));
        }
    }

    private double there(String caller, long now) {
        Bucket bucket = buckets.get(caller);
        return bucket == null
                ? perMinute
                : Math.min(perMinute, bucket.steps + (now - bucket.at) / 1e9 / SECONDS * perMinute);
    }

    private void forgetFull(long now) {
        if (buckets.size() > forgetAt) {
            buckets.keySet().removeIf(caller -> there(caller, now) >= perMinute);
            forgetAt = Math.max(MANY, 2 * buckets.size());
        }
    }

    /** Callers that are remembered. */
    synchronized int size() {
        return buckets.size();
    }
}
