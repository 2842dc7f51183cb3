package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PaceTest {
    private final AtomicLong now = new AtomicLong(-5);

    @Test
    void whatIsLeftIsTheMeanStepForEachRemainingOneAndTheFinishing() {
        Pace pace = new Pace(now::get, 4, 0, Duration.ofMillis(35));
        pass(Duration.ofMillis(30));
        pace.stepsBegin(2);

        pass(Duration.ofMillis(10));
        assertThat(pace.stepDone(1))
                .isEqualTo(new Progress(1, 2, 1, 4, Duration.ofMillis(40), Duration.ofMillis(3 * 10 + 70)));

        pass(Duration.ofMillis(20));
        assertThat(pace.stepDone(2))
                .isEqualTo(new Progress(1, 2, 2, 4, Duration.ofMillis(60), Duration.ofMillis(2 * 15 + 70)));
    }

    @Test
    void guidedStepsTakeTwiceAsLong() {
        Pace pace = new Pace(now::get, 5, 3, Duration.ZERO);
        pace.stepsBegin(1);

        pass(Duration.ofMillis(20));
        assertThat(pace.stepDone(1).expectedRemaining()).isEqualTo(Duration.ofMillis(2 * 20 + 2 * 10));

        pass(Duration.ofMillis(20 + 20 + 10));
        assertThat(pace.stepDone(4).expectedRemaining()).isEqualTo(Duration.ofMillis(10));
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }
}
