package dev.arc2face.gateway.admission;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.QuotasConfig;
import dev.arc2face.gateway.diffusion.GenerationEvent;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two generations run at once and three wait; time passes when a test says so, but for what the timer does. */
class AdmissionTest {
    private static final Duration STEP = Duration.ofMillis(100);
    private static final int STEPS = 20;

    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    private final Queue<Runnable> running = new ArrayDeque<>(); // each ends when it is run
    private final List<String> ended = new ArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private long now = 1_000_000_000_000L;
    private final Admission admission = new Admission(
            Configs.of(
                    LimitsConfig.class,
                    Map.of(
                            "arc2face.limits.max-running", "2",
                            "arc2face.limits.max-queued", "3",
                            "arc2face.limits.max-queued-bytes", "1000")),
            Configs.of(QuotasConfig.class, Map.of()),
            running::add,
            timer,
            () -> now);

    @AfterEach
    void stopTimer() {
        timer.shutdownNow();
    }

    @Test
    void placesForAllThatRunAndWaitAndNoMore() {
        for (int i = 0; i < 5; i++) {
            enter("a" + i);
        }
        assertThat(running).hasSize(2);
        assertThat(admission.running()).isEqualTo(2);
        assertThat(admission.waiting()).isEqualTo(3);
        assertThat(refusal(() -> admission.reserve("a")).reason()).isEqualTo(ErrorReason.QUEUE_FULL);
        assertThat(admission.refusals()).isEqualTo(1);
    }

    @Test
    void whoeverShutsDownSendsAwayWhoWaitsAndAwaitsWhoRuns() {
        Place late = admission.reserve("late");
        for (int i = 0; i < 4; i++) {
            enter("a" + i);
        }

        CompletableFuture<Void> drained = drain(Duration.ofMinutes(2));
        await().until(() -> told.size() == 2);
        assertThat(told).containsExactly("a2 withdrawn SHUTTING_DOWN", "a3 withdrawn SHUTTING_DOWN");
        assertThat(refusal(() -> admission.reserve("b")).reason()).isEqualTo(ErrorReason.SHUTTING_DOWN);
        assertThat(refusal(() -> late.enter(demand(1), new Told("late"))).reason())
                .isEqualTo(ErrorReason.SHUTTING_DOWN);

        end();
        assertThat(drained).isNotDone();
        end();
        drained.orTimeout(1, TimeUnit.MINUTES).join();
        assertThat(ended).containsExactly("a0", "a1");
        assertThat(admission.waiting() + admission.reserved()).isZero();
    }

    @Test
    void whoeverShutsDownStopsWhatDoesNotEnd() {
        enter("a0");

        CompletableFuture<Void> drained = drain(Duration.ofMillis(10));
        await().until(() -> told.contains("a0 stopped SHUTTING_DOWN"));
        end();
        drained.orTimeout(1, TimeUnit.MINUTES).join();
    }

    @Test
    void callWhoseRequestIsStillOnItsWayHasAPlace() {
        List<Place> reserved = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            reserved.add(admission.reserve("a"));
        }
        refusal(() -> admission.reserve("b"));
        assertThat(reserved.get(0).release()).isTrue();
        assertThat(reserved.get(0).release()).isFalse();
        assertThat(admission.reserved()).isEqualTo(4);
        assertThat(admission.reserve("b")).isNotNull();
        refusal(() -> admission.reserve("b"));
    }

    @Test
    void fullServerRefusesBeforeAnythingHasBeenLearned() {
        enter("a1");
        enter("a2");
        for (int i = 0; i < 3; i++) {
            admission.reserve("a");
        }
        assertThat(refusal(() -> admission.reserve("b")).reason()).isEqualTo(ErrorReason.QUEUE_FULL);
    }

    @Test
    void placeThatWasGivenBackBecomesNoGeneration() {
        Place place = admission.reserve("a");
        place.release();
        assertThat(refusal(() -> place.enter(demand(1), new Told("a1"))).reason())
                .isEqualTo(ErrorReason.CANCELLED);
        assertThat(running).isEmpty();
    }

    @Test
    void generationsStartByTurns() {
        enter("a1");
        enter("a2");
        assertThat(enter("a3").map(Turn::position)).contains(1);
        assertThat(enter("a4").map(Turn::position)).contains(2);
        assertThat(enter("b1").map(Turn::position)).contains(2);
        while (!running.isEmpty()) {
            end();
        }
        assertThat(ended).containsExactly("a1", "a2", "a3", "b1", "a4");
        assertThat(admission.running()).isZero();
        assertThat(admission.waiting()).isZero();
    }

    @Test
    void generationThatIsWithdrawnGivesItsPlaceBackAndNeverRuns() {
        enter("a1");
        enter("a2");
        Place place = admission.reserve("a");
        place.enter(demand(1), new Told("a3"));
        enter("a4");
        enter("a5");
        place.withdraw(FailureException.of(ErrorReason.CANCELLED, "the call was cancelled"));
        place.withdraw(FailureException.of(ErrorReason.CANCELLED, "twice"));
        assertThat(told).containsOnlyOnce("a3 withdrawn CANCELLED");
        assertThat(admission.waiting()).isEqualTo(2);
        enter("a6");
        while (!running.isEmpty()) {
            end();
        }
        assertThat(ended).containsExactly("a1", "a2", "a4", "a5", "a6");
    }

    @Test
    void runningGenerationIsNotWithdrawn() {
        Place place = admission.reserve("a");
        place.enter(demand(1), new Told("a1"));
        place.withdraw(FailureException.of(ErrorReason.CANCELLED, "the call was cancelled"));
        assertThat(told).isEmpty();
        assertThat(admission.running()).isEqualTo(1);
    }

    @Test
    void whatTheWaitingHoldIsBounded() {
        enter("a1", 5000); // what runs is not counted
        enter("a2", 5000);
        enter("a3", 600);
        assertThat(refusal(() -> enter("a4", 600)).reason()).isEqualTo(ErrorReason.QUEUE_FULL);
        enter("a5", 400);
        end();
        enter("a6", 600);
        assertThat(admission.waiting()).isEqualTo(2);
    }

    @Test
    void whoWaitsIsToldWhenItHasMovedUp() {
        enter("a1");
        enter("a2");
        enter("a3");
        enter("a4");
        end();
        await().until(() -> !told.isEmpty());
        assertThat(told).containsExactly("a4 moved 1");
    }

    @Test
    void waitIsUnknownUntilStepsHaveBeenMeasured() {
        enter("a1");
        enter("a2");
        assertThat(enter("a3").orElseThrow().expectedWait()).isEmpty();
    }

    @Test
    void waitIsWhatTheRunningGenerationsHaveStillToDo() {
        Place first = admission.reserve("a");
        first.enter(demand(1), new Told("a1"));
        doSteps(first, 10);
        enter("a2");
        // Ten steps of two rows at 0.1 s, and another generation's two rows beside them: twice that.
        assertThat(seconds(enter("a3"))).isBetween(1.9, 2.1);
    }

    @Test
    void refusedCallersAreToldWhenAPlaceWillBeFreeAndNotAllTheSame() {
        Place first = admission.reserve("a");
        first.enter(demand(1), new Told("a1"));
        doSteps(first, 6);
        for (int i = 2; i <= 5; i++) {
            enter("a" + i);
        }
        List<Duration> delays = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            delays.add(refusal(() -> admission.reserve("b")).retryAfter().orElseThrow());
        }
        // 14 steps of 0.2 s, and up to half as much again.
        assertThat(delays)
                .doesNotHaveDuplicates()
                .allMatch(delay -> delay.toMillis() >= 2700 && delay.toMillis() <= 4300);
    }

    @Test
    void delayIsNeverLessThanTheConfiguredOne() {
        for (int i = 0; i < 5; i++) {
            admission.reserve("a");
        }
        assertThat(refusal(() -> admission.reserve("a")).retryAfter().orElseThrow())
                .isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }

    private Optional<Turn> enter(String name) {
        return enter(name, 1);
    }

    /** The caller is the name's first letter. */
    private Optional<Turn> enter(String name, long bytes) {
        return admission.reserve(name.substring(0, 1)).enter(demand(bytes), new Told(name));
    }

    private static Demand demand(long bytes) {
        return new Demand(
                new Workload("base", 1, new Workload.Part(STEPS, 1, 2), new Workload.Part(0, 1, 1)),
                bytes,
                OptionalLong.empty());
    }

    private CompletableFuture<Void> drain(Duration grace) {
        return CompletableFuture.runAsync(() -> {
            try {
                admission.drain(grace);
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        });
    }

    /** Has a running generation do its first steps. */
    private void doSteps(Place place, int count) {
        Consumer<GenerationEvent> events = place.watching(event -> {});
        events.accept(new Identified(
                new FaceReport(0, 0, List.of(), OptionalInt.empty(), FaceChoice.EMBEDDING, false, false)));
        for (int step = 1; step <= count; step++) {
            now += STEP.toNanos();
            events.accept(new Progress(1, 1, step, STEPS, Duration.ZERO, Duration.ZERO));
        }
    }

    private void end() {
        running.remove().run();
    }

    private static double seconds(Optional<Turn> turn) {
        return turn.orElseThrow().expectedWait().orElseThrow().toMillis() / 1e3;
    }

    private static FailureException refusal(Runnable call) {
        List<FailureException> thrown = new ArrayList<>();
        assertThatThrownBy(call::run).isInstanceOfSatisfying(FailureException.class, thrown::add);
        return thrown.get(0);
    }

    private final class Told implements Generation {
        private final String name;

        Told(String name) {
            this.name = name;
        }

        @Override
        public void run() {
            ended.add(name);
        }

        @Override
        public void moved(Turn turn) {
            told.add(name + " moved " + turn.position());
        }

        @Override
        public void withdrawn(FailureException why) {
            told.add(name + " withdrawn " + why.reason());
        }

        @Override
        public void stopped(FailureException why) {
            told.add(name + " stopped " + why.reason());
        }
    }
}
