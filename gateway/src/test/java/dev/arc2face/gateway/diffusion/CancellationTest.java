package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CancellationTest {
    @Test
    void aCallThatGoesOnPasses() {
        assertThatCode(Cancellation::check).doesNotThrowAnyException();
        CancellableContext call = Context.current().withCancellation();
        call.run(() -> assertThatCode(Cancellation::check).doesNotThrowAnyException());
        call.cancel(null);
    }

    @Test
    void aCancelledCallEnds() {
        CancellableContext call = Context.current().withCancellation();
        call.cancel(null);

        assertThat(reasonIn(call)).isEqualTo(ErrorReason.CANCELLED);
    }

    @Test
    void aLateCallEnds() {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        try (CancellableContext call = Context.current().withDeadline(Deadline.after(-1, TimeUnit.SECONDS), timer)) {
            assertThat(reasonIn(call)).isEqualTo(ErrorReason.DEADLINE_EXCEEDED);
        } finally {
            timer.shutdownNow();
        }
    }

    private static ErrorReason reasonIn(Context call) {
        FailureException[] failure = new FailureException[1];
        call.run(() -> failure[0] = catchThrowableOfType(FailureException.class, Cancellation::check));
        return failure[0].reason();
    }
}
