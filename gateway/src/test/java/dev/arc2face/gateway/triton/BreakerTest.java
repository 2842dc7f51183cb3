package dev.arc2face.gateway.triton;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BreakerTest {
    private static final long PAUSE = Breaker.FIRST_PAUSE.toNanos();

    private final Breaker breaker = new Breaker();
    private long now = Long.MAX_VALUE - PAUSE; // nanoTime may wrap around

    @Test
    void opensAfterFailuresInARow() {
        fail(Breaker.FAILURES - 1);
        breaker.succeeded();
        fail(Breaker.FAILURES - 1);
        assertThat(breaker.allows(now)).isTrue();

        assertThat(breaker.state()).isEqualTo(Breaker.State.CLOSED);

        fail(1);
        assertThat(breaker.isOpen()).isTrue();
        assertThat(breaker.state()).isEqualTo(Breaker.State.OPEN);
        assertThat(breaker.allows(now)).isFalse();
    }

    @Test
    void letsOneAttemptThroughAfterAPause() {
        fail(Breaker.FAILURES);
        now += PAUSE;
        assertThat(breaker.allows(now)).isTrue();
        breaker.began();
        assertThat(breaker.allows(now)).isFalse();
        assertThat(breaker.state()).isEqualTo(Breaker.State.HALF_OPEN);

        breaker.succeeded();
        assertThat(breaker.isOpen()).isFalse();
        assertThat(breaker.allows(now)).isTrue();
    }

    @Test
    void pausesTwiceAsLongAfterEachFailedTrial() {
        fail(Breaker.FAILURES);
        long pause = PAUSE;
        for (int trial = 0; trial < 10; trial++) {
            now += pause;
            breaker.began();
            fail(1);
            pause = Math.min(2 * pause, Breaker.LONGEST_PAUSE.toNanos());
            assertThat(breaker.allows(now + pause - 1)).isFalse();
            assertThat(breaker.allows(now + pause)).isTrue();
        }
    }

    @Test
    void failuresOfAttemptsFromBeforeItOpenedDoNotLengthenThePause() {
        fail(Breaker.FAILURES);
        now += PAUSE / 2;
        fail(20);
        assertThat(breaker.allows(now + PAUSE / 2)).isTrue();
    }

    @Test
    void aTrialThatNobodyWantsAnyMoreMakesRoomForAnother() {
        fail(Breaker.FAILURES);
        now += PAUSE;
        breaker.began();
        breaker.abandoned();
        assertThat(breaker.allows(now)).isTrue();
    }

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            breaker.failed(now);
        }
    }
}
