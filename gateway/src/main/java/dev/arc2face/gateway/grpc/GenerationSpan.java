package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.trace.SpanKeys;
import dev.arc2face.gateway.trace.Spans;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;

/**
 * The span of a generation, from its acceptance to its end, inside that of the call that started it, which it may outlive;
 * and inside of it that of its wait. It is made on the call's thread, and used on whatever thread the generation is.
 */
final class GenerationSpan {
    private final Context call = Spans.current();
    private final String id;

    private volatile Context inside = call;
    private volatile Span whole = Span.getInvalid();
    private volatile Span queue = Span.getInvalid();

    /** @param id the request's */
    GenerationSpan(String id) {
        this.id = id;
    }

    void begin(GenerationOptions options) {
        whole = Spans.begin("generation", SpanKind.INTERNAL, call)
                .setAttribute(SpanKeys.REQUEST_ID, id)
                .setAttribute(SpanKeys.VARIANT, options.variant().id())
                .setAttribute(SpanKeys.SCHEDULER, options.scheduler().id())
                .setAttribute(SpanKeys.PICTURES, options.numImages())
                .setAttribute(SpanKeys.STEPS, options.steps());
        inside = Spans.ofRequest(id, call.with(whole));
        queue = Spans.begin("queue", SpanKind.INTERNAL, inside);
    }

    /** Does work that is the generation's. */
    void run(Runnable work) {
        Spans.run(inside, work);
    }

    /** Its turn has come. */
    void started() {
        queue.end();
    }

    void completed() {
        whole.end();
    }

    /** It has ended otherwise than well, wherever it was. */
    void failed(String reason) {
        queue.end();
        Spans.fail(whole, reason);
        whole.end();
    }

    /** Where others may point to. */
    SpanContext context() {
        return whole.getSpanContext();
    }
}
