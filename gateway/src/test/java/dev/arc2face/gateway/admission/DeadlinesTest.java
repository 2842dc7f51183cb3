package dev.arc2face.gateway.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.QuotasConfig;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationEvent.Finished;
import dev.arc2face.gateway.diffusion.GenerationEvent.FurtherAttempt;
import dev.arc2face.gateway.diffusion.GenerationEvent.Identified;
import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import dev.arc2face.gateway.diffusion.Workload;
import dev.arc2face.gateway.face.FaceChoice;
import dev.arc2face.gateway.face.FaceReport;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two places, generations of 20 steps of two rows, and a server whose steps have taken 0.05 s a row: alone, two seconds. */
class DeadlinesTest {
    private static final int STEPS = 20;
    private static final double STEP_ALONE = 0.1;

    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    private final Queue<Runnable> threads = new ArrayDeque<>();
    private final List<String> told = new ArrayList<>();
    private long now = 1_000_000_000_000L;
    private final Admission admission = new Admission(
            Configs.of(
                    LimitsConfig.class, Map.of("arc2face.limits.max-running", "2", "arc2face.limits.max-queued", "9")),
            Configs.of(QuotasConfig.class, Map.of()),
            threads::add,
            timer,
            () -> now);

    @AfterEach
    void stopTimer() {
        timer.shutdownNow();
    }

    @Test
    void nobodyIsRefusedWhileNothingHasBeenMeasured() {
        assertThat(enter("impossible", 0.001)).isEmpty();
    }

    @Test
    void whoCannotEndInTimeIsRefusedAtOnceAndToldWhenItCould() {
        measure();
        enter("a1");
        enter("a2");
        // They need 4 s together, then this one 2 s or, if the load stays as it is, 4 s: 8 s, and a fifth for safety.
        FailureException refused = catchThrowableOfType(FailureException.class, () -> enter("late", 5));
        assertThat(refused.reason()).isEqualTo(ErrorReason.DEADLINE_UNREACHABLE);
        assertThat(Double.parseDouble(refused.metadata().get("expected_seconds")))
                .isBetween(6.0, 8.1);
        assertThat(refused.metadata()).containsEntry("left_seconds", "5.000");
        assertThat(refused.retryAfter()).isPresent();
        assertThat(admission.waiting()).isZero();
        assertThat(admission.reserved()).isZero();
        assertThat(enter("in time", 20)).isPresent();
    }

    @Test
    void whoCouldNotEndInTimeEvenAloneIsNotToldToTryAgain() {
        measure();
        FailureException refused = catchThrowableOfType(FailureException.class, () -> enter("impossible", 1));
        assertThat(refused.reason()).isEqualTo(ErrorReason.DEADLINE_UNREACHABLE);
        assertThat(refused.retryAfter()).isEmpty();
        assertThat(Double.parseDouble(refused.metadata().get("expected_seconds")))
                .isCloseTo(2, within(0.05));
        assertThat(enter("possible", 2.5)).isEmpty();
    }

    @Test
    void oneThatWouldBreakAnothersDeadlineWaitsAndNobodyOvertakesIt() {
        measure();
        enter("tight", 2.5);
        Consumer<GenerationEvent> tight = begin(place("tight"));
        assertThat(enter("b1")).map(Turn::position).contains(1); // there is a place, but not for it
        assertThat(enter("b2")).map(Turn::position).contains(2);
        assertThat(admission.running()).isEqualTo(1);
        steps(tight, 1, 10, STEP_ALONE);
        assertThat(admission.running()).isEqualTo(1);
        // From here on even twice the time is in time.
        steps(tight, 11, 17, STEP_ALONE);
        assertThat(admission.running()).isEqualTo(2);
        assertThat(told).isEmpty();
        threads.remove().run(); // the tight one ends
        assertThat(admission.running()).isEqualTo(2);
        assertThat(admission.waiting()).isZero();
    }

    @Test
    void oneThatMissesItsDeadlineAnywayIsNoReasonToWait() {
        measure();
        enter("lost", 2.5);
        Consumer<GenerationEvent> lost = begin(place("lost"));
        pass(1.2);
        steps(lost, 1, 1, 0); // 1.9 s to go and 1.3 s left: stopped
        assertThat(told).containsExactly("lost stopped: DEADLINE_EXCEEDED");
        assertThat(enter("b1")).isEmpty();
    }

    @Test
    void runningOneStopsWhenItsDeadlineIsOutOfReach() {
        measure();
        enter("slow", 3);
        Consumer<GenerationEvent> slow = begin(place("slow"));
        steps(slow, 1, 5, 0.35);
        assertThat(told).containsExactly("slow stopped: DEADLINE_EXCEEDED");
    }

    @Test
    void runningOneThatIsALittleLateGoesOn() {
        measure();
        enter("fine", 2.5);
        Consumer<GenerationEvent> fine = begin(place("fine"));
        steps(fine, 1, 20, 0.12);
        assertThat(told).isEmpty();
    }

    @Test
    void furtherAttemptThatCannotEndInTimeIsNotBegun() {
        measure();
        enter("twice", 3.5);
        Consumer<GenerationEvent> twice = begin(place("twice"));
        attempt(twice, 1, STEP_ALONE); // 2 s
        assertThat(told).isEmpty();
        again(twice);
        assertThat(told).containsExactly("twice stopped: DEADLINE_EXCEEDED");
    }

    @Test
    void furtherAttemptCountsForThoseWhoWaitFromItsBeginning() {
        measure();
        enter("a1");
        enter("a2");
        Consumer<GenerationEvent> again = begin(place("a1"));
        begin(place("a2"));
        attempt(again, 1, STEP_ALONE);
        again(again);
        // The other one, too, has all its steps before it: whoever comes waits for one of two alike.
        double wait = enter("b").orElseThrow().expectedWait().orElseThrow().toMillis() / 1e3;
        assertThat(wait).isBetween(2.0, 4.1);
        assertThat(told).isEmpty();
    }

    private void attempt(Consumer<GenerationEvent> events, int attempt, double seconds) {
        for (int step = 1; step <= STEPS; step++) {
            pass(seconds);
            events.accept(new Progress(attempt, 1, step, STEPS, Duration.ZERO, Duration.ZERO));
        }
    }

    private static void again(Consumer<GenerationEvent> events) {
        try {
            events.accept(new FurtherAttempt(
                    new Workload("base", 1, new Workload.Part(STEPS, 1, 2), new Workload.Part(0, 1, 1))));
        } catch (FailureException stopped) {
            // told
        }
    }

    @Test
    void waitingOneWhoseDeadlineIsOutOfReachNeverStarts() {
        measure();
        enter("a1");
        enter("a2");
        assertThat(enter("b", 12)).isPresent();
        pass(11);
        threads.remove().run();
        threads.remove(); // a2 goes on
        runAll();
        assertThat(told).endsWith("b withdrawn: DEADLINE_EXCEEDED");
        assertThat(admission.waiting()).isZero();
    }

    @Test
    void waitingOneWithoutADeadlineStartsEvenThoughAnotherIsTooLate() {
        measure();
        enter("a1");
        enter("a2");
        enter("b", 12);
        assertThat(enter("c")).isPresent();
        pass(11);
        threads.remove().run();
        assertThat(admission.running()).isEqualTo(2);
        assertThat(admission.waiting()).isZero();
    }

    @Test
    void variantThatHasNeverRunIsTakenToBeAsFastAsTheOther() {
        measure();
        enter("tight", 2.5);
        begin(place("tight"));
        assertThat(enter("new", OptionalLong.empty(), "lcm"))
                .map(Turn::position)
                .contains(1); // not beside the tight one
        assertThat(enter("b1")).map(Turn::position).contains(2);
    }

    // Has one generation run to its end.
    private void measure() {
        enter("teacher");
        steps(begin(place("teacher")), 1, STEPS, STEP_ALONE);
        threads.remove().run();
        told.clear();
    }

    private final List<Place> places = new ArrayList<>();
    private final List<String> names = new ArrayList<>();

    private Place place(String name) {
        return places.get(names.indexOf(name));
    }

    private Optional<Turn> enter(String name) {
        return enter(name, OptionalLong.empty());
    }

    private Optional<Turn> enter(String name, double seconds) {
        return enter(name, OptionalLong.of(now + Math.round(seconds * 1e9)));
    }

    private Optional<Turn> enter(String name, OptionalLong deadline) {
        return enter(name, deadline, "base");
    }

    private Optional<Turn> enter(String name, OptionalLong deadline, String variant) {
        Place place = admission.reserve(name);
        names.add(name);
        places.add(place);
        Workload workload = new Workload(variant, 1, new Workload.Part(STEPS, 1, 2), new Workload.Part(0, 1, 1));
        return place.enter(new Demand(workload, 1, deadline), new Told(name));
    }

    private Consumer<GenerationEvent> begin(Place place) {
        Consumer<GenerationEvent> events = place.watching(event -> {});
        events.accept(new Identified(
                new FaceReport(0, 0, List.of(), OptionalInt.empty(), FaceChoice.EMBEDDING, false, false)));
        return event -> {
            try {
                events.accept(event);
            } catch (FailureException stopped) {
                told.add(names.get(places.indexOf(place)) + " stopped: " + stopped.reason());
                throw stopped;
            }
        };
    }

    private void steps(Consumer<GenerationEvent> events, int first, int last, double seconds) {
        try {
            for (int step = first; step <= last; step++) {
                pass(seconds);
                events.accept(new Progress(1, 1, step, STEPS, Duration.ZERO, Duration.ZERO));
            }
            if (last == STEPS) {
                events.accept(new Finished(Duration.ZERO, Map.of(), STEPS, 0));
            }
        } catch (FailureException stopped) {
            // told
        }
    }

    private void pass(double seconds) {
        now += Math.round(seconds * 1e9);
    }

    private void runAll() {
        while (!threads.isEmpty()) {
            threads.remove().run();
        }
    }

    private final class Told implements Generation {
        private final String name;

        Told(String name) {
            this.name = name;
        }

        @Override
        public void run() {}

        @Override
        public void moved(Turn turn) {}

        @Override
        public void withdrawn(FailureException why) {
            told.add(name + " withdrawn: " + why.reason());
        }

        @Override
        public void stopped(FailureException why) {
            told.add(name + " stopped: " + why.reason());
        }
    }
}
