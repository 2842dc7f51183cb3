package dev.arc2face.gateway.admission;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * When running generations will end and waiting ones start and end, if none comes and none goes: a fluid simulation in
 * which everybody makes calls at the pace that the rows in flight allow, and whoever waits longest starts when a place
 * becomes free. Deterministic; n generations take O(n log n). All times are seconds from now.
 *
 * <p>All generations of one pace are equally fast at any time. So each pace has a clock of its own that counts calls,
 * and a generation is done with a stretch of its way when that clock reaches a number known from the stretch's start.
 */
final class Forecast {
    private static final int WALL = 0;

    private final List<CallTime> paces;
    private final double leastRows;
    private final int running;
    private final List<Remaining> all;
    private final double[] starts;
    private final double[] ends;
    private final int[] stretches;

    private final double[] clocks;
    private final List<PriorityQueue<Arrival>> arrivals = new ArrayList<>();
    private double now;
    private double rows;

    /** When a generation is done with its present stretch, by the stretch's clock. */
    private record Arrival(double at, int generation) {}

    private Forecast(List<CallTime> paces, double leastRows, List<Remaining> running, List<Remaining> waiting) {
        this.paces = paces;
        this.leastRows = leastRows;
        this.running = running.size();
        this.all = new ArrayList<>(running);
        all.addAll(waiting);
        starts = new double[all.size()];
        ends = new double[all.size()];
        stretches = new int[all.size()];
        clocks = new double[1 + paces.size()];
        for (int clock = 0; clock < clocks.length; clock++) {
            arrivals.add(
                    new PriorityQueue<>(Comparator.comparingDouble(Arrival::at).thenComparingInt(Arrival::generation)));
        }
    }

    /**
     * Looks ahead.
     *
     * @param paces what {@link Remaining#pace} counts
     * @param leastRows rows that are taken to be in flight at any time, because others will come: 0 looks at the given
     *     generations alone
     * @param places how many run at once, at least 1
     * @param running at any number, even above the places
     * @param waiting in the order of their turns
     */
    static Forecast of(
            List<CallTime> paces, double leastRows, int places, List<Remaining> running, List<Remaining> waiting) {
        Forecast forecast = new Forecast(paces, leastRows, running, waiting);
        forecast.simulate(places);
        return forecast;
    }

    /** When a running generation ends. */
    double endOfRunning(int index) {
        return ends[index];
    }

    /** When a waiting generation starts. */
    double start(int index) {
        return starts[running + index];
    }

    /** When a waiting generation ends. */
    double endOfWaiting(int index) {
        return ends[running + index];
    }

    private void simulate(int places) {
        int busy = 0;
        int next = 0;
        while (next < running) {
            busy += enter(next++);
        }
        while (true) {
            while (next < all.size() && busy < places) {
                starts[next] = now;
                busy += enter(next++);
            }
            int first = firstClock();
            if (first < 0) {
                return;
            }
            Arrival arrival = arrivals.get(first).remove();
            advance((arrival.at() - clocks[first]) * secondsPerTick(first));
            clocks[first] = arrival.at();
            int generation = arrival.generation();
            rows -= rowsIn(stretches[generation], all.get(generation));
            stretches[generation]++;
            busy += enter(generation) - 1;
        }
    }

    /** Takes a generation to its next stretch that takes any time: 1 if there is one, 0 if it has ended. */
    private int enter(int generation) {
        Remaining remaining = all.get(generation);
        for (; stretches[generation] < 4; stretches[generation]++) {
            int stretch = stretches[generation];
            double amount = amountOf(stretch, remaining);
            if (amount > 0) {
                int clock = stretch == 1 || stretch == 2 ? 1 + remaining.pace() : WALL;
                arrivals.get(clock).add(new Arrival(clocks[clock] + amount, generation));
                rows += rowsIn(stretch, remaining);
                return 1;
            }
        }
        ends[generation] = now;
        return 0;
    }

    private int firstClock() {
        int first = -1;
        double soonest = Double.POSITIVE_INFINITY;
        for (int clock = 0; clock < clocks.length; clock++) {
            Arrival arrival = arrivals.get(clock).peek();
            if (arrival != null) {
                double seconds = (arrival.at() - clocks[clock]) * secondsPerTick(clock);
                if (seconds < soonest) {
                    soonest = seconds;
                    first = clock;
                }
            }
        }
        return first;
    }

    private void advance(double seconds) {
        now += seconds;
        for (int clock = 0; clock < clocks.length; clock++) {
            double perTick = secondsPerTick(clock);
            if (perTick > 0) {
                clocks[clock] += seconds / perTick;
            }
        }
    }

    private double secondsPerTick(int clock) {
        return clock == WALL ? 1 : paces.get(clock - 1).at(Math.max(rows, leastRows));
    }

    private static double amountOf(int stretch, Remaining remaining) {
        return switch (stretch) {
            case 0 -> remaining.before();
            case 1 -> remaining.guidedCalls();
            case 2 -> remaining.plainCalls();
            default -> remaining.after();
        };
    }

    private static double rowsIn(int stretch, Remaining remaining) {
        return switch (stretch) {
            case 1 -> remaining.guidedRows();
            case 2 -> remaining.plainRows();
            default -> 0;
        };
    }
}
