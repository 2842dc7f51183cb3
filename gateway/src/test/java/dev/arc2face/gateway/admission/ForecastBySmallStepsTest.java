package dev.arc2face.gateway.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The forecast against a simulation of what it says, a millisecond at a time. */
class ForecastBySmallStepsTest {
    private static final double TICK = 0.001;

    @Test
    void agreesInRandomCases() {
        Random random = new Random(5);
        for (int round = 0; round < 30; round++) {
            List<CallTime> paces = List.of(
                    new CallTime(random.nextDouble(), 0.2 + random.nextDouble()),
                    new CallTime(random.nextDouble(), 0.2 + random.nextDouble()));
            List<Remaining> running = some(random, random.nextInt(4));
            List<Remaining> waiting = some(random, random.nextInt(6));
            int places = 1 + random.nextInt(4);
            double leastRows = random.nextInt(5);
            Forecast forecast = Forecast.of(paces, leastRows, places, running, waiting);
            double[][] expected = simulate(paces, leastRows, places, running, waiting);
            for (int i = 0; i < running.size(); i++) {
                assertThat(forecast.endOfRunning(i)).isCloseTo(expected[1][i], within(0.05));
            }
            for (int i = 0; i < waiting.size(); i++) {
                assertThat(forecast.start(i)).isCloseTo(expected[0][running.size() + i], within(0.05));
                assertThat(forecast.endOfWaiting(i)).isCloseTo(expected[1][running.size() + i], within(0.05));
            }
        }
    }

    private static List<Remaining> some(Random random, int count) {
        List<Remaining> some = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            some.add(new Remaining(
                    random.nextInt(3),
                    random.nextInt(2),
                    random.nextInt(4),
                    2 + random.nextInt(3),
                    random.nextInt(4),
                    1 + random.nextInt(2),
                    random.nextInt(3)));
        }
        return some;
    }

    /** Starts and ends. */
    private static double[][] simulate(
            List<CallTime> paces, double leastRows, int places, List<Remaining> running, List<Remaining> waiting) {
        List<Remaining> all = Stream.concat(running.stream(), waiting.stream()).toList();
        double[][] left = all.stream()
                .map(r -> new double[] {r.before(), r.guidedCalls(), r.plainCalls(), r.after()})
                .toArray(double[][]::new);
        double[] starts = new double[all.size()];
        double[] ends = new double[all.size()];
        List<Integer> started = new ArrayList<>();
        for (int i = 0; i < running.size(); i++) {
            started.add(i);
        }
        int next = running.size();
        for (long tick = 0; ; tick++) {
            double time = tick * TICK;
            for (int i : List.copyOf(started)) {
                if (stretch(left[i]) == 4) {
                    ends[i] = time;
                    started.remove((Integer) i);
                }
            }
            while (next < all.size() && started.size() < places) {
                starts[next] = time;
                if (stretch(left[next]) == 4) {
                    ends[next] = time;
                } else {
                    started.add(next);
                }
                next++;
            }
            if (started.isEmpty()) {
                return new double[][] {starts, ends};
            }
            double rows = 0;
            for (int i : started) {
                rows += switch (stretch(left[i])) {
                    case 1 -> all.get(i).guidedRows();
                    case 2 -> all.get(i).plainRows();
                    default -> 0;
                };
            }
            for (int i : started) {
                int stretch = stretch(left[i]);
                boolean calls = stretch == 1 || stretch == 2;
                left[i][stretch] -= calls ? TICK / paces.get(all.get(i).pace()).at(Math.max(rows, leastRows)) : TICK;
            }
        }
    }

    private static int stretch(double[] left) {
        for (int stretch = 0; stretch < 4; stretch++) {
            if (left[stretch] > 1e-9) {
                return stretch;
            }
        }
        return 4;
    }
}
