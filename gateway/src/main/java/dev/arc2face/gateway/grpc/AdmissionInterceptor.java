package dev.arc2face.gateway.grpc;

import static java.util.Objects.requireNonNull;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.admission.Admission;
import dev.arc2face.gateway.admission.Place;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Takes a place for each generation when its headers arrive, before anything of its message is read: a server without
 * room says so at once, and at no cost. The place goes back if the call ends, or its request does not come in time,
 * before it has become a generation.
 */
final class AdmissionInterceptor implements ServerInterceptor {
    private static final Context.Key<Place> PLACE = Context.key("place");
    private static final String GENERATE =
            PortraitServiceGrpc.getGenerateMethod().getFullMethodName();

    private final Admission admission;
    private final Duration patience;
    private final ScheduledExecutorService timer;

    /** @param patience how long a call may keep a place without having sent its request */
    AdmissionInterceptor(Admission admission, Duration patience, ScheduledExecutorService timer) {
        this.admission = admission;
        this.patience = patience;
        this.timer = timer;
    }

    /** The place of the current call, which must be a generation. */
    static Place place() {
        return requireNonNull(PLACE.get());
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        if (!call.getMethodDescriptor().getFullMethodName().equals(GENERATE)) {
            return Contexts.interceptCall(Caller.in(Context.current(), call), call, headers, next);
        }
        Place place = admission.reserve(Caller.of(call));
        try {
            Context context = Caller.in(Context.current(), call).withValue(PLACE, place);
            ServerCall.Listener<Q> listener = Contexts.interceptCall(context, call, headers, next);
            Future<?> impatience = timer.schedule(() -> giveUp(call, place), patience.toNanos(), NANOSECONDS);
            return new Holding<>(listener, place, impatience);
        } catch (RuntimeException | Error thrown) {
            place.release();
            throw thrown;
        }
    }

    private void giveUp(ServerCall<?, ?> call, Place place) {
        if (place.release()) {
            FailureException tooSlow = FailureException.of(
                    ErrorReason.CLIENT_TOO_SLOW,
                    "the client did not send its request within " + patience.toSeconds() + " s",
                    Map.of("limit_seconds", Long.toString(patience.toSeconds())));
            call.close(ErrorStatus.carrying(tooSlow).getStatus(), new Metadata());
        }
    }

    private static final class Holding<Q> extends SimpleForwardingServerCallListener<Q> {
        private final Place place;
        private final Future<?> impatience;

        Holding(ServerCall.Listener<Q> listener, Place place, Future<?> impatience) {
            super(listener);
            this.place = place;
            this.impatience = impatience;
        }

        @Override
        public void onMessage(Q message) {
            boolean taken = false;
            try {
                super.onMessage(message);
                taken = true;
            } finally {
                if (!taken) {
                    letGo();
                }
            }
        }

        /** The service is called in here, and has made a generation of the place when it returns, or never will. */
        @Override
        public void onHalfClose() {
            try {
                super.onHalfClose();
            } finally {
                letGo();
            }
        }

        @Override
        public void onCancel() {
            letGo();
            super.onCancel();
        }

        @Override
        public void onComplete() {
            letGo();
            super.onComplete();
        }

        private void letGo() {
            impatience.cancel(false);
            place.release();
        }
    }
}
