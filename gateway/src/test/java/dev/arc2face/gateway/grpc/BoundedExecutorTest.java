package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BoundedExecutorTest {
    private final BoundedExecutor executor = new BoundedExecutor("test", 2, 3, 0);
    private final CountDownLatch release = new CountDownLatch(1);
    private final List<Integer> ran = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        release.countDown();
        executor.close();
    }

    @Test
    void runsUpToItsLimitAndHoldsTheRest() {
        fill();
        assertThat(executor.running()).isEqualTo(2);
        assertThat(executor.waiting()).isEqualTo(3);
        release.countDown();
        await().until(() -> ran.size() == 5);
        assertThat(ran).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
    }

    @Test
    void startsInTheOrderOfArrival() {
        try (BoundedExecutor single = new BoundedExecutor("single", 1, 20, 0)) {
            for (int i = 0; i < 20; i++) {
                int number = i;
                single.execute("somebody", Context.current().withCancellation(), () -> ran.add(number), why -> {});
            }
            await().until(() -> ran.size() == 20);
        }
        assertThat(ran).isSorted();
    }

    @Test
    void oneMoreThanItHoldsIsRefusedAtOnce() {
        fill();
        CancellableContext context = Context.current().withCancellation();
        assertThatThrownBy(() -> executor.execute("somebody", context, () -> ran.add(5), why -> {}))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.QUEUE_FULL));
        assertThat(context.isCancelled()).isTrue();
    }

    @Test
    void callerHasSoManyPlacesAndGetsThemBack() {
        try (BoundedExecutor shared = new BoundedExecutor("shared", 1, 20, 2)) {
            CountDownLatch end = new CountDownLatch(1);
            shared.execute("greedy", Context.current().withCancellation(), () -> awaitQuietly(end), why -> {});
            CancellableContext waiting = Context.current().withCancellation();
            shared.execute("greedy", waiting, () -> ran.add(1), why -> {});
            assertThatThrownBy(() ->
                            shared.execute("greedy", Context.current().withCancellation(), () -> ran.add(2), why -> {}))
                    .isInstanceOfSatisfying(
                            FailureException.class,
                            failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.QUOTA_EXCEEDED));
            shared.execute("modest", Context.current().withCancellation(), () -> ran.add(3), why -> {});

            waiting.cancel(null);
            shared.execute("greedy", Context.current().withCancellation(), () -> ran.add(4), why -> {});
            end.countDown();
            await().until(() -> ran.size() == 2);
            assertThat(ran).containsExactly(3, 4);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void callWhoseContextEndsGivesItsPlaceBackAndNeverRuns() {
        blocked(0);
        blocked(1);
        CancellableContext context = Context.current().withCancellation();
        List<FailureException> withdrawn = new CopyOnWriteArrayList<>();
        executor.execute("somebody", context, () -> ran.add(2), withdrawn::add);
        assertThat(executor.waiting()).isEqualTo(1);

        context.cancel(null);
        assertThat(executor.waiting()).isZero();
        assertThat(withdrawn)
                .singleElement()
                .satisfies(why -> assertThat(why.reason()).isEqualTo(ErrorReason.CANCELLED));
        release.countDown();
        await().until(() -> ran.size() == 2);
        assertThat(ran).doesNotContain(2);
    }

    @Test
    void callThatOutlivesItsDeadlineWhileItWaitsIsToldSo() {
        blocked(0);
        blocked(1);
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        List<FailureException> withdrawn = new CopyOnWriteArrayList<>();
        executor.execute(
                "somebody",
                Context.current().withDeadlineAfter(10, TimeUnit.MILLISECONDS, timer),
                () -> ran.add(2),
                withdrawn::add);
        await().until(() -> !withdrawn.isEmpty());
        timer.shutdownNow();
        assertThat(withdrawn.get(0).reason()).isEqualTo(ErrorReason.DEADLINE_EXCEEDED);
    }

    @Test
    void callRunsInItsContextWhichEndsWithIt() {
        Context.Key<String> key = Context.key("caller");
        CancellableContext context = Context.current().withValue(key, "me").withCancellation();
        AtomicBoolean inside = new AtomicBoolean();
        executor.execute(
                "somebody", context, () -> inside.set("me".equals(key.get()) && !context.isCancelled()), why -> {});
        await().until(context::isCancelled);
        assertThat(inside).isTrue();
    }

    private void fill() {
        for (int i = 0; i < 5; i++) {
            blocked(i);
        }
    }

    private void blocked(int number) {
        CountDownLatch started = new CountDownLatch(1);
        executor.execute(
                "somebody",
                Context.current().withCancellation(),
                () -> {
                    started.countDown();
                    awaitRelease();
                    ran.add(number);
                },
                why -> {});
        if (number < 2) {
            await().until(() -> started.getCount() == 0);
        }
    }

    private void awaitRelease() {
        try {
            release.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
