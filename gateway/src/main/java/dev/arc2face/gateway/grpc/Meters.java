package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.admission.Admission;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationEvent.Decoded;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.Variant;
import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * What the gateway counts and measures; docs/observability.md has all of it. No label has anything of a caller or of a
 * face in it, and none has values that callers make up.
 */
@Singleton
final class Meters {
    private static final Duration[] WAITS =
            millis(10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000);

    private final MeterRegistry registry;
    private final DistributionSummary similarity;
    private final Timer queued;

    Meters(MeterRegistry registry) {
        this.registry = registry;
        similarity = DistributionSummary.builder("arc2face.identity.similarity")
                .description("Cosine between a portrait's identity and the one asked for, 0 where it is below")
                .serviceLevelObjectives(
                        IntStream.range(1, 20).mapToDouble(i -> i / 20.0).toArray())
                .register(registry);
        queued = timer("arc2face.queued", "How long a generation waited for its turn", WAITS);
    }

    /** Says how things are in the admission, whenever that is asked. */
    void watch(Admission admission, Readiness readiness) {
        gauge("arc2face.generations.running", "Generations that run", "", admission::running);
        gauge("arc2face.generations.waiting", "Generations that wait", "", admission::waiting);
        gauge("arc2face.queue.wait", "What a generation that comes now would wait", "seconds", admission::expectedWait);
        gauge("arc2face.ready", "1 while calls can be served", "", () -> readiness.isReady() ? 1 : 0);
    }

    private void gauge(String name, String description, String unit, Supplier<Number> value) {
        Gauge.builder(name, value)
                .description(description)
                .baseUnit(unit.isEmpty() ? null : unit)
                .strongReference(true)
                .register(registry);
    }

    void callEnded(String method, Status.Code code, String reason) {
        counter("arc2face.calls", "Calls that ended", "method", method, "code", code.name(), "reason", reason)
                .increment();
    }

    void generationStarted(Duration waited) {
        queued.record(waited);
    }

    void generationEnded(String outcome, String variant, Duration took) {
        counter("arc2face.generations", "Generations that ended", "outcome", outcome, "variant", variant)
                .increment();
        timer("arc2face.generation", "Whole generations, waiting included", WAITS, "variant", variant)
                .record(took);
    }

    /** What becomes of a generation's pictures; there is one for each. */
    PictureMeters pictures(GenerationOptions options) {
        return new PictureMeters(this, options);
    }

    /** The events of a warm-up, whose pictures nobody gets. */
    Consumer<GenerationEvent> warmUp(Variant variant) {
        return event -> {
            if (event instanceof Decoded decoded) {
                discarded(variant.id(), "warm_up").increment(decoded.pictures());
            }
        };
    }

    Counter discarded(String variant, String outcome) {
        return counter(
                "arc2face.pictures.discarded",
                "Pictures that were decoded and that nobody got, because their generation ended",
                "variant",
                variant,
                "outcome",
                outcome);
    }

    DistributionSummary similarity() {
        return similarity;
    }

    Counter counter(String name, String description, String... tags) {
        return Counter.builder(name).description(description).tags(tags).register(registry);
    }

    Timer timer(String name, String description, Duration[] buckets, String... tags) {
        return Timer.builder(name)
                .description(description)
                .tags(tags)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    static Duration[] millis(long... values) {
        Duration[] durations = new Duration[values.length];
        Arrays.setAll(durations, i -> Duration.ofMillis(values[i]));
        return durations;
    }
}
