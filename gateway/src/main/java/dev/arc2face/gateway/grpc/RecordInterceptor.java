package dev.arc2face.gateway.grpc;

import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Counts every call and writes it into the audit log when it has ended: who, when, what, and how it ended. Outside of all
 * that turn calls away, so that it sees those too, and the statuses that callers see. Health checks are not worth a line.
 */
final class RecordInterceptor implements ServerInterceptor {
    /** A category of its own, so that it can go to a file of its own. */
    private static final Logger AUDIT = Logger.getLogger("dev.arc2face.audit");

    /** Of the service, and what HTTP has beside it, by their full names. */
    static final Set<String> METHODS = Stream.concat(
                    PortraitServiceGrpc.getServiceDescriptor().getMethods().stream(),
                    Stream.of(DetachedService.LISTEN, DetachedService.LATEST, DetachedService.PORTRAIT))
            .map(method -> method.getFullMethodName())
            .collect(Collectors.toUnmodifiableSet());

    private final Meters meters;

    RecordInterceptor(Meters meters) {
        this.meters = meters;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
            return next.startCall(call, headers);
        }
        Recorded<Q, R> recorded = new Recorded<>(call);
        ServerCall.Listener<Q> listener =
                Contexts.interceptCall(recorded.entry.in(Context.current()), recorded, headers, next);
        return new SimpleForwardingServerCallListener<>(listener) {
            @Override
            public void onCancel() {
                recorded.ended(Status.CANCELLED, new Metadata());
                super.onCancel();
            }
        };
    }

    private final class Recorded<Q, R> extends SimpleForwardingServerCall<Q, R> {
        private final CallRecord entry;
        private final long began = System.nanoTime();
        private final AtomicBoolean over = new AtomicBoolean();

        Recorded(ServerCall<Q, R> call) {
            super(call);
            String method = call.getMethodDescriptor().getFullMethodName();
            String known = METHODS.contains(method)
                    ? method.substring(method.indexOf('/') + 1)
                    : "other"; // whatever names callers make up
            entry = new CallRecord(known);
        }

        @Override
        public void close(Status status, Metadata trailers) {
            super.close(status, trailers);
            ended(status, trailers);
        }

        void ended(Status status, Metadata trailers) {
            if (over.compareAndSet(false, true)) {
                String reason = ErrorStatus.reason(status, trailers);
                AUDIT.info(entry.line(status.getCode(), reason, Duration.ofNanos(System.nanoTime() - began)));
                meters.callEnded(entry.method(), status.getCode(), reason);
            }
        }
    }
}
