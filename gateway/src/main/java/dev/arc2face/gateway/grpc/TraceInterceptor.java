package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.trace.SpanKeys;
import dev.arc2face.gateway.trace.Spans;
import dev.arc2face.gateway.trace.Tracing;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Makes every call a span, inside the caller's where its metadata has a traceparent. The outermost interceptor. Health
 * checks are not worth a span.
 */
final class TraceInterceptor implements ServerInterceptor {
    private final Tracing tracing;

    TraceInterceptor(Tracing tracing) {
        this.tracing = tracing;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        MethodDescriptor<Q, R> method = call.getMethodDescriptor();
        if (HealthGrpc.SERVICE_NAME.equals(method.getServiceName())) {
            return next.startCall(call, headers);
        }
        Context caller = tracing.receive(name -> header(headers, name));
        Traced<Q, R> traced = new Traced<>(call, begin(method, caller));
        io.grpc.Context inside = Spans.carried(caller.with(traced.span), io.grpc.Context.current());
        return new SimpleForwardingServerCallListener<>(Contexts.interceptCall(inside, traced, headers, next)) {
            @Override
            public void onCancel() {
                super.onCancel();
                traced.ended(Status.CANCELLED, "");
            }
        };
    }

    /** Names that callers make up are not passed on. */
    private static Span begin(MethodDescriptor<?, ?> method, Context caller) {
        boolean known = RecordInterceptor.METHODS.contains(method.getFullMethodName());
        Span span = Spans.begin(known ? method.getFullMethodName() : "other", SpanKind.SERVER, caller)
                .setAttribute(SpanKeys.RPC_SYSTEM, "grpc");
        return known
                ? span.setAttribute(SpanKeys.RPC_SERVICE, method.getServiceName())
                        .setAttribute(SpanKeys.RPC_METHOD, method.getBareMethodName())
                : span;
    }

    private static @Nullable String header(Metadata headers, String name) {
        return headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
    }

    private static final class Traced<Q, R> extends SimpleForwardingServerCall<Q, R> {
        private final Span span;
        private final AtomicBoolean over = new AtomicBoolean();

        Traced(ServerCall<Q, R> call, Span span) {
            super(call);
            this.span = span;
        }

        @Override
        public void close(Status status, Metadata trailers) {
            super.close(status, trailers);
            ended(status, ErrorStatus.reason(status, trailers));
        }

        void ended(Status status, String reason) {
            if (over.compareAndSet(false, true)) {
                span.setAttribute(SpanKeys.RPC_STATUS, status.getCode().value());
                if (!status.isOk()) {
                    Spans.fail(span, reason.isEmpty() ? status.getCode().name() : reason);
                }
                span.end();
            }
        }
    }
}
