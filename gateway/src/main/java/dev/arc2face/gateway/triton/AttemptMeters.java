package dev.arc2face.gateway.triton;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.Locale;

/** Counts attempts at model calls and the rows in them, by replica. */
final class AttemptMeters {
    /** What became of an attempt. */
    enum Outcome {
        /** Its answer was used. */
        DELIVERED,
        /** The replica broke it off, or was late. */
        FAILED,
        /** Nobody wanted its answer any more, or the model failed. */
        ABANDONED
    }

    private final MeterRegistry registry;

    AttemptMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    void ended(String model, Endpoint endpoint, int rows, Outcome outcome) {
        Tags tags = Tags.of(
                "model", model,
                "replica", endpoint.toString(),
                "outcome", outcome.name().toLowerCase(Locale.ROOT));
        registry.counter("arc2face.model.attempts", tags).increment();
        registry.counter("arc2face.model.rows", tags).increment(rows);
    }
}
