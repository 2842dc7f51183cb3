package dev.arc2face.gateway.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class CallTimeFitTest {
    private final CallTimeFit fit = new CallTimeFit();

    @Test
    void nothingIsMeasuredBeforeAFewSamples() {
        for (int i = 0; i < 4; i++) {
            fit.add(2, 0.1);
            assertThat(fit.isMeasured()).isFalse();
        }
        fit.add(2, 0.1);
        assertThat(fit.isMeasured()).isTrue();
    }

    @Test
    void lineIsFoundWhereTheRowsVary() {
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            int rows = 2 + random.nextInt(30);
            fit.add(rows, (0.02 + 0.005 * rows) * (0.9 + 0.2 * random.nextDouble()));
        }
        assertThat(fit.fitted().at(2)).isCloseTo(0.03, within(0.003));
        assertThat(fit.fitted().at(32)).isCloseTo(0.18, within(0.01));
    }

    @Test
    void timeIsProportionalToTheRowsWhereTheyAreAlwaysTheSame() {
        for (int i = 0; i < 100; i++) {
            fit.add(4, 0.2);
        }
        assertThat(fit.fitted().at(4)).isCloseTo(0.2, within(1e-9));
        assertThat(fit.fitted().at(8)).isCloseTo(0.4, within(1e-9));
    }

    @Test
    void moreRowsNeverMeanLessTimeNorLessThanNothing() {
        for (int i = 0; i < 100; i++) {
            fit.add(2, 0.4);
            fit.add(20, 0.1);
        }
        assertThat(fit.fitted().perRow()).isZero();
        CallTimeFit steep = new CallTimeFit();
        for (int i = 0; i < 100; i++) {
            steep.add(2, 0.01);
            steep.add(20, 1);
        }
        assertThat(steep.fitted().base()).isGreaterThanOrEqualTo(0);
    }

    @Test
    void hiccupIsNoNewPaceButALastingChangeIs() {
        for (int i = 0; i < 100; i++) {
            fit.add(2, 0.1);
        }
        fit.add(2, 60);
        assertThat(fit.fitted().at(2)).isCloseTo(0.1, within(0.01));
        for (int i = 0; i < 300; i++) {
            fit.add(2, 0.5);
        }
        assertThat(fit.fitted().at(2)).isCloseTo(0.5, within(0.03));
    }
}
