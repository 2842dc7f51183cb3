package dev.arc2face.gateway.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** The limit on a simulated server that batches: all generations make a call at once, and it takes 20 ms and 1 ms a row. */
class AdaptiveLimitTest {
    private static final int MOST = 16;
    private static final int LEAST = 4;

    private final Random random = new Random(1);

    /**
     * What came of a run.
     *
     * @param limits after each round of calls
     * @param goodput calls per second
     */
    private record Run(List<Integer> limits, double goodput) {}

    @Test
    void slowerCallsOfLargerBatchesAreNoReasonToRunFewer() {
        assertThat(run(LEAST, round -> 1).limits()).containsOnly(MOST);
    }

    @Test
    void suddenSlownessLowersItAndTheNewPaceRestoresIt() {
        List<Integer> limits = run(LEAST, round -> round < 300 ? 1 : 10).limits();
        assertThat(limits.subList(300, 310)).contains(LEAST);
        assertThat(limits.subList(350, 1000)).contains(MOST);
    }

    @Test
    void fixedLimitStaysWhereItIs() {
        assertThat(run(MOST, round -> round < 300 ? 1 : 10).limits()).containsOnly(MOST);
    }

    /** Why it is left to the operator to ask for it. */
    @Test
    void slownessThatFewerGenerationsDoNotEndCostsGoodput() {
        IntToDoubleFunction noise = round -> Math.exp(0.5 * new Random(round).nextGaussian());
        double adaptive = run(LEAST, noise).goodput();
        double fixed = run(MOST, noise).goodput();
        assertThat(adaptive).isBetween(0.85 * fixed, 0.98 * fixed);
    }

    private Run run(int least, IntToDoubleFunction slowness) {
        AdaptiveLimit limit = new AdaptiveLimit(least, MOST);
        CallTimeFit fit = new CallTimeFit();
        List<Integer> limits = new ArrayList<>();
        double seconds = 0;
        int calls = 0;
        for (int round = 0; round < 1000; round++) {
            int running = limit.current();
            double rows = 2.0 * running;
            for (int i = 0; i < running; i++) {
                double time =
                        (0.02 + 0.001 * rows) * slowness.applyAsDouble(round) * (1 + 0.05 * random.nextGaussian());
                if (fit.isMeasured()) {
                    limit.callEnded(time / fit.fitted().at(rows), running);
                }
                fit.add(rows, time);
                seconds += time / running;
            }
            calls += running;
            limits.add(limit.current());
        }
        return new Run(limits, calls / seconds);
    }
}
