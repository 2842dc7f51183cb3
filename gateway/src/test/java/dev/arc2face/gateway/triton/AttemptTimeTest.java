package dev.arc2face.gateway.triton;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AttemptTimeTest {
    private final AttemptTime time = new AttemptTime(Duration.ofSeconds(1), Duration.ofMinutes(2));

    @Test
    void waitsAsLongAsItMayWhileNothingIsKnown() {
        assertThat(patience()).isEqualTo(Duration.ofMinutes(2));
    }

    @Test
    void waitsSeveralTimesWhatCallsTake() {
        took(100, Duration.ofSeconds(2));
        assertThat(patience()).isBetween(Duration.ofSeconds(6), Duration.ofMillis(6001));
    }

    @Test
    void neverGivesUpEarlierThanTheLeast() {
        took(100, Duration.ofMillis(20));
        assertThat(patience()).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void neverWaitsLongerThanTheMost() {
        took(100, Duration.ofSeconds(100));
        assertThat(patience()).isEqualTo(Duration.ofMinutes(2));
    }

    @Test
    void waitsLongerWhereTimesVary() {
        for (int i = 0; i < 100; i++) {
            took(1, Duration.ofSeconds(1 + 2 * (i % 2)));
        }
        assertThat(patience()).isGreaterThan(Duration.ofSeconds(8));
    }

    @Test
    void learnsAPaceThatHasChanged() {
        took(100, Duration.ofSeconds(10));
        took(100, Duration.ofSeconds(1));
        assertThat(patience()).isLessThan(Duration.ofMillis(3100));
    }

    private void took(int times, Duration duration) {
        for (int i = 0; i < times; i++) {
            time.took(duration.toNanos());
        }
    }

    private Duration patience() {
        return Duration.ofNanos(time.patience());
    }
}
