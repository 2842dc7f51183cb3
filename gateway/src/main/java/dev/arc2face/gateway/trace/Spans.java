package dev.arc2face.gateway.trace;

import dev.arc2face.gateway.FailureException;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import java.util.function.Supplier;
import org.jboss.logging.MDC;
import org.jspecify.annotations.Nullable;

/**
 * Spans of the trace that a thread works for: that of the context it has entered, otherwise that of its gRPC call, which
 * comes through everybody's interceptors and executors. The tracer comes along in the context: whoever receives a call puts
 * it there, and where nobody did, as in a warm-up, nothing is traced. No attribute has anything of a photo or a face in it, nor a
 * failure's message, which may tell of what the caller sent.
 */
public final class Spans {
    private static final ContextKey<Tracer> TRACER = ContextKey.named("tracer");
    private static final ContextKey<String> REQUEST = ContextKey.named("request id");
    private static final io.grpc.Context.Key<Context> OF_CALL = io.grpc.Context.keyWithDefault("trace", Context.root());

    /** OpenTelemetry's name for why something failed: an ErrorReason where there is one. */
    private static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");

    // Names of fields of the log.
    private static final String TRACE_ID = "trace_id";
    private static final String SPAN_ID = "span_id";
    private static final String REQUEST_ID = "request_id";

    private Spans() {}

    /** The context in which spans are made by this tracer. */
    static Context madeBy(Tracer tracer, Context context) {
        return context.with(TRACER, tracer);
    }

    /** The gRPC context of a call that belongs to this trace. */
    public static io.grpc.Context carried(Context trace, io.grpc.Context call) {
        return call.withValue(OF_CALL, trace);
    }

    /** The context of what is done now. */
    public static Context current() {
        Context entered = Context.current();
        return entered == Context.root() ? OF_CALL.get() : entered;
    }

    /** The context of work for the request of this id, which the log names with it. */
    public static Context ofRequest(String id, Context context) {
        return context.with(REQUEST, id);
    }

    /** Begins a span inside the current one; whoever begins it ends it. */
    public static Span begin(String name) {
        return begin(name, SpanKind.INTERNAL, current());
    }

    /** Begins a span in this context; whoever begins it ends it. */
    public static Span begin(String name, SpanKind kind, Context context) {
        Tracer tracer = context.get(TRACER);
        return tracer == null
                ? Span.getInvalid()
                : tracer.spanBuilder(name).setSpanKind(kind).setParent(context).startSpan();
    }

    /** Does the work inside a span of its own. */
    public static <T> T in(String name, Supplier<T> work) {
        Span span = begin(name);
        try {
            return within(current().with(span), work);
        } catch (RuntimeException | Error thrown) {
            fail(span, thrown);
            throw thrown;
        } finally {
            span.end();
        }
    }

    /** Does the work in this context; the lines that it logs have the ids of the trace, the span and the request. */
    public static <T> T within(Context context, Supplier<T> work) {
        SpanContext span = Span.fromContext(context).getSpanContext();
        String request = context.get(REQUEST);
        if (!span.isValid() && request == null) {
            return context.wrapSupplier(work).get();
        }
        Object trace = MDC.get(TRACE_ID);
        Object inside = MDC.get(SPAN_ID);
        Object whose = MDC.get(REQUEST_ID);
        set(TRACE_ID, span.isValid() ? span.getTraceId() : null);
        set(SPAN_ID, span.isValid() ? span.getSpanId() : null);
        set(REQUEST_ID, request);
        try {
            return context.wrapSupplier(work).get();
        } finally {
            set(TRACE_ID, trace);
            set(SPAN_ID, inside);
            set(REQUEST_ID, whose);
        }
    }

    /** The same for work that gives nothing. */
    public static void run(Context context, Runnable work) {
        Object unused = within(context, () -> {
            work.run();
            return context;
        });
    }

    private static void set(String field, @Nullable Object value) {
        if (value == null) {
            MDC.remove(field);
        } else {
            MDC.put(field, value);
        }
    }

    /** The span has failed: says why by the reason, or the kind of defect. */
    public static void fail(Span span, Throwable thrown) {
        fail(
                span,
                thrown instanceof FailureException failure
                        ? failure.reason().name()
                        : thrown.getClass().getName());
    }

    /** The span has failed, for this reason. */
    public static void fail(Span span, String reason) {
        span.setStatus(StatusCode.ERROR, reason).setAttribute(ERROR_TYPE, reason);
    }
}
