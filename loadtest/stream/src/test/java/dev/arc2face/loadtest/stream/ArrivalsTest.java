package dev.arc2face.loadtest.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ArrivalsTest {
    @Test
    void fixedArrivalsDoNotDrift() {
        long[] starts = first(30_001, Arrivals.of(Arrivals.Kind.FIXED, 3, 0));
        assertThat(starts).startsWith(0, 333_333_333, 666_666_667, 1_000_000_000);
        assertThat(starts[30_000]).isEqualTo(10_000_000_000_000L);
    }

    @Test
    void poissonArrivalsHaveExponentialGaps() {
        long[] starts = first(100_001, Arrivals.of(Arrivals.Kind.POISSON, 50, 7));
        double[] gaps = new double[100_000];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = (starts[i + 1] - starts[i]) / 1e9;
        }
        double mean = Arrays.stream(gaps).average().orElseThrow();
        double longerThanMean = Arrays.stream(gaps).filter(gap -> gap > 0.02).count() / 1e5;
        assertThat(mean).isCloseTo(0.02, within(0.0002));
        assertThat(longerThanMean).isCloseTo(Math.exp(-1), within(0.01));
        assertThat(starts).isSorted();
    }

    @Test
    void sameSeedGivesTheSameArrivals() {
        assertThat(first(100, Arrivals.of(Arrivals.Kind.POISSON, 5, 1)))
                .isEqualTo(first(100, Arrivals.of(Arrivals.Kind.POISSON, 5, 1)))
                .isNotEqualTo(first(100, Arrivals.of(Arrivals.Kind.POISSON, 5, 2)));
    }

    @Test
    void noRateIsRefused() {
        assertThatThrownBy(() -> Arrivals.of(Arrivals.Kind.FIXED, 0, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    private static long[] first(int count, Arrivals arrivals) {
        return LongStream.generate(arrivals::nextNanos).limit(count).toArray();
    }
}
