package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.admission.Admission;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationEvent.FurtherAttempt;
import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.SimilarityFloor;
import dev.arc2face.gateway.face.ScoredFace;
import io.grpc.Status;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** What the gateway counts and measures. No label has anything of a caller or of a face in it. */
@Singleton
final class Meters {
    private static final Duration[] STEPS = millis(2, 5, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000, 5000, 20_000);
    private static final Duration[] WAITS =
            millis(10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000);

    private final MeterRegistry registry;
    private final DistributionSummary similarity;
    private final Timer queued;

    Meters(MeterRegistry registry) {
        this.registry = registry;
        similarity = DistributionSummary.builder("arc2face.identity.similarity")
                .description("Cosine between a portrait's identity and the one asked for")
                .serviceLevelObjectives(
                        IntStream.range(1, 20).mapToDouble(i -> i / 20.0).toArray())
                .register(registry);
        queued = timer("arc2face.queued", "How long a generation waited before it started", WAITS);
    }

    /** Says how things are in the admission, whenever that is asked. */
    void watch(Admission admission, Readiness readiness) {
        gauge("arc2face.generations.running", "Generations that run", admission::running);
        gauge("arc2face.generations.waiting", "Generations that wait", admission::waiting);
        gauge("arc2face.queue.wait.seconds", "What a generation that comes now would wait", admission::expectedWait);
        gauge("arc2face.ready", "Whether calls can be served", () -> readiness.isReady() ? 1 : 0);
    }

    private void gauge(String name, String description, Supplier<Number> value) {
        Gauge.builder(name, value)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    void callEnded(String method, Status.Code code, String reason) {
        registry.counter("arc2face.calls", "method", method, "code", code.name(), "reason", reason)
                .increment();
    }

    void generationStarted(Duration waited) {
        queued.record(waited);
    }

    void generationEnded(String outcome, String variant, Duration took) {
        registry.counter("arc2face.generations", "outcome", outcome, "variant", variant)
                .increment();
        timer("arc2face.generation", "A generation, waiting included", WAITS, "variant", variant)
                .record(took);
    }

    /** Events on their way, for one generation. */
    Consumer<GenerationEvent> watching(GenerationOptions options, Consumer<GenerationEvent> events) {
        String variant = options.variant().id();
        Timer step = timer("arc2face.step", "A denoising step of a generation", STEPS, "variant", variant);
        long[] last = {0}; // when the step before ended: the time of an attempt's first one is not its own
        return event -> {
            if (event instanceof Progress progress) {
                long now = System.nanoTime();
                if (progress.step() > 1) {
                    step.record(Duration.ofNanos(now - last[0]));
                }
                last[0] = now;
                registry.counter("arc2face.picture.steps", "variant", variant).increment(progress.portraits());
            } else if (event instanceof FurtherAttempt again) {
                registry.counter("arc2face.pictures.rejected", "variant", variant)
                        .increment(again.workload().pictures());
            } else if (event instanceof Portrait portrait) {
                Optional<ScoredFace> score = portrait.score();
                registry.counter(
                                "arc2face.pictures",
                                "face",
                                score.isPresent() ? "found" : "none",
                                "floor",
                                outcome(options.floor(), score))
                        .increment();
                score.ifPresent(scored -> similarity.record(Math.max(0, scored.similarity()))); // none below is kept
            }
            events.accept(event);
        };
    }

    private static String outcome(SimilarityFloor floor, Optional<ScoredFace> score) {
        if (floor.minSimilarity().isEmpty()) {
            return "none";
        }
        return floor.isReachedBy(score) ? "reached" : "missed";
    }

    private Timer timer(String name, String description, Duration[] buckets, String... tags) {
        return Timer.builder(name)
                .description(description)
                .tags(tags)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    private static Duration[] millis(long... values) {
        Duration[] durations = new Duration[values.length];
        Arrays.setAll(durations, i -> Duration.ofMillis(values[i]));
        return durations;
    }
}
