package dev.arc2face.gateway.grpc;

import com.google.gson.JsonObject;
import dev.arc2face.gateway.trace.Spans;
import io.grpc.Context;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import java.time.Duration;
import java.time.Instant;
import java.util.function.IntSupplier;

/**
 * What is known of a call, for the audit log. It holds nothing biometric: no photo, crop or embedding, nor anything
 * computed from one. Those who find something out put it in; it is read when the call has ended.
 */
final class CallRecord {
    private static final Context.Key<CallRecord> CURRENT =
            Context.keyWithDefault("call record", new CallRecord("none"));

    private final String method;
    private final Instant began = Instant.now();
    private volatile String caller = "";
    private volatile String requestId = "";
    private volatile String model = "";
    private volatile String variant = "";
    private volatile int pictures;
    private volatile IntSupplier rejected = () -> 0;
    private final SpanContext span = Span.fromContext(Spans.current()).getSpanContext();

    CallRecord(String method) {
        this.method = method;
    }

    /** The current call's. */
    static CallRecord current() {
        return CURRENT.get();
    }

    Context in(Context context) {
        return context.withValue(CURRENT, this);
    }

    String method() {
        return method;
    }

    void caller(String name) {
        caller = name;
    }

    /** What is asked of which model. */
    void generation(String id, String ofVariant, String ofModel, int images) {
        requestId = id;
        variant = ofVariant;
        model = ofModel;
        pictures = images;
    }

    /** How many pictures of the generation that the call listens to fell short of what was asked, and were made again. */
    void rejected(IntSupplier images) {
        rejected = images;
    }

    void model(String name) {
        model = name;
    }

    void requestId(String id) {
        requestId = id;
    }

    /** A line of JSON. */
    String line(Status.Code code, String reason, Duration took) {
        JsonObject json = new JsonObject();
        json.addProperty("time", began.toString());
        json.addProperty("caller", caller);
        json.addProperty("method", method);
        json.addProperty("request_id", requestId);
        json.addProperty("model", model);
        json.addProperty("variant", variant);
        json.addProperty("pictures", pictures);
        json.addProperty("rejected", rejected.getAsInt());
        json.addProperty("code", code.name());
        json.addProperty("reason", reason);
        json.addProperty("milliseconds", took.toMillis());
        json.addProperty("trace_id", span.isValid() ? span.getTraceId() : "");
        return json.toString();
    }
}
