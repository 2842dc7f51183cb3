package dev.arc2face.gateway.admission;

import com.netflix.concurrency.limits.limit.Gradient2Limit;

/**
 * How many generations run at once, between a least and a most number, by Netflix' Gradient2: the limit falls while calls
 * take longer than they used to, and rises again by itself. A batching server's calls take longer the more rows are in
 * flight, which is no overload; so what counts is a call's time relative to what was learned for as many rows. When the
 * model server slows down for good, that too is learned, and the limit returns. It starts at the most.
 *
 * <p>What it is good for is a slowdown that fewer generations at once would end. Against any other it does harm (fewer
 * rows make smaller batches, and no call any faster), which is why the least number is the most one unless somebody says
 * otherwise. Not safe for use by several threads.
 */
final class AdaptiveLimit {
    /** Times relative to the expected one go in as if that were a millisecond. */
    private static final double NANOS = 1e6;

    private final int least;
    private final int most;
    private final Gradient2Limit gradient;

    /**
     * @param least at least 1
     * @param most at least {@code least}; where they are equal the limit is fixed
     */
    AdaptiveLimit(int least, int most) {
        this.least = least;
        this.most = most;
        this.gradient = Gradient2Limit.newBuilder()
                .initialLimit(most)
                .minLimit(least)
                .maxConcurrency(most)
                .queueSize(1)
                .build();
    }

    int current() {
        return least == most ? most : Math.max(least, Math.min(most, gradient.getLimit()));
    }

    /**
     * A call has ended.
     *
     * @param relative its time, as a multiple of what was expected for the rows in flight
     * @param running generations that ran
     */
    void callEnded(double relative, int running) {
        if (least < most && relative > 0) {
            gradient.onSample(0, Math.max(1, Math.round(relative * NANOS)), running, false);
        }
    }
}
