package dev.arc2face.loadtest.stream;

import java.util.SplittableRandom;
import java.util.function.LongToDoubleFunction;

/**
 * When the requests of an open loop are meant to start. The times depend on the rate, the kind and the seed alone, never
 * on what became of earlier requests, and never decrease.
 */
final class Arrivals {
    enum Kind {
        /** Evenly spaced, without drift. */
        FIXED,
        /** A Poisson process: independent exponential gaps, as from many callers who know nothing of each other. */
        POISSON
    }

    private static final double NANOS = 1e9;

    private final LongToDoubleFunction seconds;
    private long index;

    private Arrivals(LongToDoubleFunction seconds) {
        this.seconds = seconds;
    }

    /** Arrivals at a mean rate of this many a second; only a Poisson process needs the seed. */
    static Arrivals of(Kind kind, double perSecond, long seed) {
        if (!(perSecond > 0 && Double.isFinite(perSecond))) {
            throw new IllegalArgumentException("no rate: " + perSecond);
        }
        return switch (kind) {
            case FIXED -> new Arrivals(index -> index / perSecond);
            case POISSON -> new Arrivals(new Poisson(perSecond, seed));
        };
    }

    /** The next start, in nanoseconds since the first moment of the run. */
    long nextNanos() {
        return Math.round(seconds.applyAsDouble(index++) * NANOS);
    }

    private static final class Poisson implements LongToDoubleFunction {
        private final double perSecond;
        private final SplittableRandom random;
        private double now;

        Poisson(double perSecond, long seed) {
            this.perSecond = perSecond;
            this.random = new SplittableRandom(seed);
        }

        @Override
        public double applyAsDouble(long index) {
            now -= Math.log1p(-random.nextDouble()) / perSecond; // inverse of the exponential distribution
            return now;
        }
    }
}
