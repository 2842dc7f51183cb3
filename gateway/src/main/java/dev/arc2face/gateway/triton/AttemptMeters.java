package dev.arc2face.gateway.triton;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/**
 * Counts attempts at model calls and the rows in them, by model and by replica. What a replica that is gone has done is
 * forgotten: there are never more counters than for those that are there.
 */
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

    private record Ending(String model, String replica, Outcome outcome) {}

    private record Counts(Counter attempts, Counter rows) {}

    private record OfModel(Timer time, DistributionSummary rows, Counter retries, Counter padding) {}

    /** In the place of a replica that is gone, for what still ends there. */
    private static final String GONE = "gone";

    private static final Duration[] TIMES = LongStream.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 20_000)
            .mapToObj(Duration::ofMillis)
            .toArray(Duration[]::new);
    private static final double[] ROWS = {1, 2, 4, 8, 16, 32, 64};

    private final MeterRegistry registry;
    // The registry's own search costs more.
    private final Map<Ending, Counts> counts = new ConcurrentHashMap<>();
    private final Map<String, OfModel> models = new ConcurrentHashMap<>();

    AttemptMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    void ended(String model, Endpoint endpoint, int rows, Outcome outcome) {
        String replica = endpoint.isGone() ? GONE : endpoint.toString();
        Counts these = counts.computeIfAbsent(new Ending(model, replica, outcome), this::register);
        these.attempts.increment();
        these.rows.increment(rows);
    }

    /** An answer has come, after so long. */
    void answered(String model, int rows, long nanos) {
        OfModel these = of(model);
        these.time.record(nanos, TimeUnit.NANOSECONDS);
        these.rows.record(rows);
    }

    /** An attempt begins that repeats another one. */
    void repeated(String model) {
        of(model).retries.increment();
    }

    /** So many rows of an answered call were nobody's. */
    void padded(String model, int rows) {
        of(model).padding.increment(rows);
    }

    /** The replica is gone. */
    void forget(Endpoint endpoint) {
        endpoint.isNowGone();
        counts.entrySet().removeIf(entry -> {
            boolean its = entry.getKey().replica.equals(endpoint.toString());
            if (its) {
                registry.remove(entry.getValue().attempts);
                registry.remove(entry.getValue().rows);
            }
            return its;
        });
    }

    private OfModel of(String model) {
        return models.computeIfAbsent(model, this::register);
    }

    private OfModel register(String model) {
        return new OfModel(
                Timer.builder("arc2face.model.call")
                        .description(
                                "Model calls that were answered, each attempt by itself, queueing in Triton included")
                        .tag("model", model)
                        .serviceLevelObjectives(TIMES)
                        .register(registry),
                DistributionSummary.builder("arc2face.model.call.rows")
                        .baseUnit("rows")
                        .description("Rows of a model call that was answered")
                        .tag("model", model)
                        .serviceLevelObjectives(ROWS)
                        .register(registry),
                counter("arc2face.model.retries", "Attempts that repeated another one", model),
                counter(
                        "arc2face.model.padding.rows",
                        "Rows that filled the batch of a reproducible request, and were nobody's",
                        model));
    }

    private Counter counter(String name, String description, String model) {
        return Counter.builder(name)
                .description(description)
                .tag("model", model)
                .register(registry);
    }

    private Counts register(Ending ending) {
        return new Counts(
                counter("arc2face.model.attempts", "Attempts at model calls, by what became of them", ending),
                counter("arc2face.model.rows", "Rows sent to Triton, by what became of the attempt", ending));
    }

    private Counter counter(String name, String description, Ending ending) {
        return Counter.builder(name)
                .description(description)
                .tag("model", ending.model)
                .tag("replica", ending.replica)
                .tag("outcome", ending.outcome.name().toLowerCase(Locale.ROOT))
                .register(registry);
    }
}
