package dev.arc2face.gateway.trace;

import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A span's place in what is sent from one process to another: {@code traceparent} of W3C Trace Context. */
public final class TraceHeaders {
    static final TextMapPropagator FORMAT = W3CTraceContextPropagator.getInstance();

    private static final TextMapGetter<UnaryOperator<@Nullable String>> BY_NAME = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(UnaryOperator<@Nullable String> headers) {
            return List.copyOf(FORMAT.fields());
        }

        @Override
        public @Nullable String get(@Nullable UnaryOperator<@Nullable String> headers, String name) {
            return headers == null ? null : headers.apply(name);
        }
    };

    private TraceHeaders() {}

    /** The context with the caller's span; what is no traceparent is nobody's. */
    static Context read(UnaryOperator<@Nullable String> headers, Context context) {
        return FORMAT.extract(context, headers, BY_NAME);
    }

    /** Writes the context's span, where it has one. */
    public static void write(Context context, BiConsumer<String, String> headers) {
        FORMAT.inject(context, headers, (into, name, value) -> {
            if (into != null) {
                into.accept(name, value);
            }
        });
    }
}
