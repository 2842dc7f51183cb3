package dev.arc2face.gateway.trace;

import dev.arc2face.gateway.OperationBenchmark;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.util.Collection;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * One operation: what tracing adds to a denoising step, that is its span and, inside of it, that of its model call, with
 * the headers that the call takes along; to be compared with a step of {@code StepBenchmark}, or a model call's
 * milliseconds.
 */
public class SpanBenchmark extends OperationBenchmark {
    /** What becomes of spans. */
    public enum Tracing {
        /** The call is not traced at all. */
        NONE,
        /** No exporter is configured; the caller has a trace. */
        OFF,
        /** The trace is not kept. */
        DROPPED,
        /** It is. */
        KEPT
    }

    @Param
    private Tracing tracing;

    private Context call;
    private int headers;

    @Setup
    public void prepare() {
        Context caller = TraceHeaders.read(
                name -> name.equals("traceparent") ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : null,
                Context.root());
        call = switch (tracing) {
            case NONE -> Context.root();
            case OFF ->
                Spans.madeBy(
                        OpenTelemetry.propagating(ContextPropagators.create(TraceHeaders.FORMAT))
                                .getTracer("off"),
                        caller);
            case DROPPED -> Spans.madeBy(tracer(Sampler.alwaysOff()), caller);
            case KEPT -> Spans.madeBy(tracer(Sampler.alwaysOn()), caller);
        };
    }

    private static Tracer tracer(Sampler sampler) {
        return SdkTracerProvider.builder()
                .setSampler(sampler)
                .addSpanProcessor(BatchSpanProcessor.builder(new Nowhere()).build())
                .build()
                .get("on");
    }

    @Benchmark
    public int step() {
        Spans.run(
                call,
                () -> Spans.in("denoise", () -> {
                    Span.current().setAttribute(SpanKeys.STEP, 1).setAttribute(SpanKeys.PICTURE_ATTEMPT, 1);
                    Span span = Spans.begin("ModelInfer unet", SpanKind.CLIENT, Context.current());
                    if (span.isRecording()) {
                        span.setAttribute(SpanKeys.RPC_SYSTEM, "grpc")
                                .setAttribute(SpanKeys.RPC_SERVICE, "inference.GRPCInferenceService")
                                .setAttribute(SpanKeys.RPC_METHOD, "ModelInfer")
                                .setAttribute(SpanKeys.MODEL, "unet")
                                .setAttribute(SpanKeys.MODEL_VERSION, "1")
                                .setAttribute(SpanKeys.REPLICA, "127.0.0.1:8001")
                                .setAttribute(SpanKeys.ROWS, 2)
                                .setAttribute(SpanKeys.MAX_BATCH_SIZE, 16)
                                .setAttribute(SpanKeys.ROWS_IN_FLIGHT, 2)
                                .setAttribute(SpanKeys.ATTEMPT, 1);
                    }
                    TraceHeaders.write(Context.current().with(span), (name, value) -> headers += value.length());
                    span.end();
                    return span;
                }));
        return headers;
    }

    private static final class Nowhere implements SpanExporter {
        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}
