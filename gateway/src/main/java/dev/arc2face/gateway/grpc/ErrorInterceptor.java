package dev.arc2face.gateway.grpc;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The one place where a failure becomes a status. Every call that ends otherwise than well ends with a documented
 * reason, whoever threw: the service, an executor, an interceptor inside this one, the codec, or grpc-java itself. A
 * call is closed once; what fails after that is nobody's concern any more.
 */
final class ErrorInterceptor implements ServerInterceptor {
    private final ErrorStatus errors;

    ErrorInterceptor(ErrorStatus errors) {
        this.errors = errors;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        Translating<Q, R> translating = new Translating<>(call);
        ServerCall.Listener<Q> listener = null;
        try {
            listener = next.startCall(translating, headers);
        } catch (RuntimeException | Error thrown) {
            translating.fail(thrown);
        }
        return new Guarded<>(listener == null ? new ServerCall.Listener<>() {} : listener, translating);
    }

    private final class Translating<Q, R> extends SimpleForwardingServerCall<Q, R> {
        private final AtomicBoolean closed = new AtomicBoolean();

        Translating(ServerCall<Q, R> call) {
            super(call);
        }

        @Override
        public void close(Status status, Metadata trailers) {
            if (!closed.compareAndSet(false, true)) {
                return;
            }
            // NOT_FOUND is what the standard health service documents for a name that it does not know.
            boolean standard = status.getCode() == Status.Code.NOT_FOUND && status.getCause() == null;
            if (status.isOk() || standard || ErrorStatus.isDocumented(status, trailers)) {
                super.close(status, trailers);
                return;
            }
            StatusRuntimeException documented =
                    errors.of(status.asRuntimeException(), getMethodDescriptor().getFullMethodName());
            @Nullable Metadata details = documented.getTrailers();
            super.close(documented.getStatus(), details == null ? new Metadata() : details);
        }

        void fail(Throwable thrown) {
            close(ErrorStatus.carrying(thrown).getStatus(), new Metadata());
        }
    }

    private static final class Guarded<Q> extends SimpleForwardingServerCallListener<Q> {
        private final ErrorInterceptor.Translating<Q, ?> call;

        Guarded(ServerCall.Listener<Q> listener, ErrorInterceptor.Translating<Q, ?> call) {
            super(listener);
            this.call = call;
        }

        @Override
        public void onMessage(Q message) {
            guard(() -> super.onMessage(message));
        }

        @Override
        public void onHalfClose() {
            guard(super::onHalfClose);
        }

        @Override
        public void onReady() {
            guard(super::onReady);
        }

        @Override
        public void onCancel() {
            guard(super::onCancel);
        }

        @Override
        public void onComplete() {
            guard(super::onComplete);
        }

        private void guard(Runnable callback) {
            try {
                callback.run();
            } catch (RuntimeException | Error thrown) {
                call.fail(thrown);
            }
        }
    }
}
