package dev.arc2face.gateway.triton;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

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

    private record Ending(String model, Endpoint endpoint, Outcome outcome) {}

    private record Counts(Counter attempts, Counter rows) {}

    private final MeterRegistry registry;
    private final Map<Ending, Counts> counts = new ConcurrentHashMap<>(); // the registry's own search costs more

    AttemptMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    void ended(String model, Endpoint endpoint, int rows, Outcome outcome) {
        Counts these = counts.computeIfAbsent(new Ending(model, endpoint, outcome), this::register);
        these.attempts.increment();
        these.rows.increment(rows);
    }

    private Counts register(Ending ending) {
        Tags tags = Tags.of(
                "model", ending.model,
                "replica", ending.endpoint.toString(),
                "outcome", ending.outcome.name().toLowerCase(Locale.ROOT));
        return new Counts(
                registry.counter("arc2face.model.attempts", tags), registry.counter("arc2face.model.rows", tags));
    }
}
