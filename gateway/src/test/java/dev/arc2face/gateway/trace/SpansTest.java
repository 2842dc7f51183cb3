package dev.arc2face.gateway.trace;

import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.HashMap;
import java.util.Map;
import org.jboss.logging.MDC;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpansTest {
    private static final String CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
    private final SdkTracerProvider tracers = SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(exporter))
            .build();

    /** A call that a caller has traced. */
    private final Context call =
            Spans.madeBy(tracers.get("test"), TraceHeaders.read(Map.of("traceparent", CALLER)::get, Context.root()));

    @AfterEach
    void close() {
        tracers.close();
    }

    @Test
    void nothingIsTracedOfWhatNobodyAskedFor() {
        assertThat(Spans.in("work", () -> Span.current().getSpanContext())).isEqualTo(SpanContext.getInvalid());
        assertThat(Spans.begin("work")).isEqualTo(Span.getInvalid());
        assertThat(exporter.getFinishedSpanItems()).isEmpty();
    }

    @Test
    void spansLieInsideOneAnotherAndInsideTheCallers() {
        Spans.run(call, () -> Spans.in("outer", () -> Spans.in("inner", () -> "done")));

        SpanData inner = exporter.getFinishedSpanItems().get(0);
        SpanData outer = exporter.getFinishedSpanItems().get(1);
        assertThat(inner.getName()).isEqualTo("inner");
        assertThat(inner.getParentSpanContext()).isEqualTo(outer.getSpanContext());
        assertThat(outer.getTraceId()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
        assertThat(outer.getParentSpanId()).isEqualTo("00f067aa0ba902b7");
    }

    @Test
    void spanGoesOnInTheHeadersOfItsCall() {
        Span span = Spans.begin("outgoing", SpanKind.CLIENT, call);
        Map<String, String> headers = new HashMap<>();
        TraceHeaders.write(call.with(span), headers::put);
        assertThat(headers)
                .containsExactly(Map.entry(
                        "traceparent",
                        "00-4bf92f3577b34da6a3ce929d0e0e4736-"
                                + span.getSpanContext().getSpanId() + "-01"));
        span.end();
    }

    @Test
    void whatIsNoTraceparentIsNobodys() {
        Context context = TraceHeaders.read(Map.of("traceparent", "00-../../etc-1-01")::get, Context.root());
        assertThat(Span.fromContext(context).getSpanContext().isValid()).isFalse();
    }

    @Test
    void spanOfAFailureSaysWhyAndNoMore() {
        assertThatThrownBy(() -> Spans.run(
                        call,
                        () -> Spans.in("work", () -> {
                            throw FailureException.of(ErrorReason.NO_FACE_DETECTED, "in the photo of somebody");
                        })))
                .isInstanceOf(FailureException.class);
        assertThatThrownBy(() -> Spans.run(
                        call,
                        () -> Spans.in("work", () -> {
                            throw new IllegalStateException("of somebody");
                        })))
                .isInstanceOf(IllegalStateException.class);

        assertThat(exporter.getFinishedSpanItems())
                .allMatch(span -> span.getStatus().getStatusCode() == StatusCode.ERROR)
                .noneMatch(span -> span.toString().contains("somebody"))
                .extracting(span -> span.getAttributes().get(stringKey("error.type")))
                .containsExactly("NO_FACE_DETECTED", "java.lang.IllegalStateException");
    }

    @Test
    void logKnowsTheSpanAndTheRequestWhileTheyAreWorkedFor() {
        Spans.run(Spans.ofRequest("mine", call), () -> {
            Object outer = MDC.get("span_id");
            Spans.in("inner", () -> {
                assertThat(MDC.get("trace_id")).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
                assertThat(MDC.get("span_id"))
                        .isEqualTo(Span.current().getSpanContext().getSpanId())
                        .isNotEqualTo(outer);
                return assertThat(MDC.get("request_id")).isEqualTo("mine");
            });
            assertThat(MDC.get("span_id")).isEqualTo(outer);
        });
        assertThat(MDC.get("trace_id")).isNull();
        assertThat(MDC.get("span_id")).isNull();
        assertThat(MDC.get("request_id")).isNull();
    }
}
