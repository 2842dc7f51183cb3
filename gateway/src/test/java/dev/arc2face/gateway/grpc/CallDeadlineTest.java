package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.ErrorReason;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CallDeadlineTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final CallDeadline deadline = new CallDeadline(Duration.ofMillis(100), timer);

    @AfterEach
    void stopTimer() {
        timer.shutdownNow();
    }

    @Test
    void workStopsTheMarginBeforeItsCall() throws Exception {
        CancellableContext call = Context.ROOT.withDeadlineAfter(10, SECONDS, timer);
        CancellableContext work = call.call(deadline::newContext);
        assertThat(work.getDeadline().timeRemaining(MILLISECONDS)).isBetween(9000L, 9900L);
        work.cancel(null);
        call.cancel(null);
    }

    @Test
    void shortCallLosesNoMoreThanATenth() throws Exception {
        CancellableContext call = Context.ROOT.withDeadlineAfter(500, MILLISECONDS, timer);
        long left = call.getDeadline().timeRemaining(MILLISECONDS);
        CancellableContext work = call.call(deadline::newContext);
        assertThat(work.getDeadline().timeRemaining(MILLISECONDS)).isLessThanOrEqualTo(left);
        assertThat(call.getDeadline().timeRemaining(MILLISECONDS)
                        - work.getDeadline().timeRemaining(MILLISECONDS))
                .isLessThanOrEqualTo(51);
        work.cancel(null);
        call.cancel(null);
    }

    @Test
    void callWithoutDeadlineEndsByCancellationAlone() throws Exception {
        CancellableContext call = Context.ROOT.withCancellation();
        CancellableContext work = call.call(deadline::newContext);
        assertThat(work.getDeadline()).isNull();
        call.cancel(null);
        assertThat(work.isCancelled()).isTrue();
        assertThat(CallDeadline.reason(work).reason()).isEqualTo(ErrorReason.CANCELLED);
    }
}
