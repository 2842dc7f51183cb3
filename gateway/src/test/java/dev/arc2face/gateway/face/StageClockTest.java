package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StageClockTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5); // nanoTime may wrap around
    private final StageClock clock = new StageClock(now::get);

    @Test
    void addsUpEveryVisitToAStage() {
        spend(Stage.SCORE, 1);
        spend(Stage.DECODE, 10);
        spend(Stage.SCORE, 100);
        assertThat(clock.timings())
                .containsExactly(
                        Map.entry(Stage.DECODE, Duration.ofNanos(10)), Map.entry(Stage.SCORE, Duration.ofNanos(101)));
    }

    @Test
    void countsAStageThatFails() {
        assertThatThrownBy(() -> clock.time(Stage.DETECT, () -> {
                    now.addAndGet(7);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        assertThat(clock.timings()).containsExactly(Map.entry(Stage.DETECT, Duration.ofNanos(7)));
    }

    @Test
    void timingsDoNotChangeAfterwards() {
        Map<Stage, Duration> before = clock.timings();
        spend(Stage.ALIGN, 3);
        assertThat(before).isEmpty();
    }

    private void spend(Stage stage, long nanos) {
        assertThat(clock.<Boolean>time(stage, () -> now.addAndGet(nanos) != 0)).isTrue();
    }
}
