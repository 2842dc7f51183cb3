package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.ReadinessConfig;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.SchedulerKind;
import dev.arc2face.gateway.diffusion.SimilarityFloor;
import dev.arc2face.gateway.diffusion.Variant;
import dev.arc2face.gateway.face.IdentitySource;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.TritonServer;
import io.grpc.Context;
import io.quarkus.grpc.GrpcService;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Whether calls can be served, and by which pipeline. They can from the moment on which a warm-up generation through
 * freshly read models, with each of their variants, has passed, until the model server is found away; what comes back is warmed up anew, and a
 * warm-up that failed is tried again. Asking costs nothing.
 */
@Singleton
public final class Readiness implements TritonServer.Listener {
    private static final Logger LOG = Logger.getLogger(Readiness.class);

    private final TritonServer triton;
    private final LimitsConfig limits;
    private final ReadinessConfig config;
    private final GrpcHealth health;
    private final Meters meters;
    // One thread for a warm-up, one to see to its deadline.
    private final ScheduledExecutorService warmUps = Executors.newScheduledThreadPool(2, new DaemonThreads("warm-up"));
    /** What they do belongs to the trace of whoever has it done. */
    private final ExecutorService encoders = io.opentelemetry.context.Context.taskWrapping(Executors.newFixedThreadPool(
            Runtime.getRuntime().availableProcessors(), new DaemonThreads("picture-encoder")));

    private boolean stopping; // guarded by this
    private volatile State state = new Unready(unavailable("the gateway has just started"));

    /** Replaced under the lock of this, so that what became of old models never hides what is known of newer ones. */
    private sealed interface State {}

    private record Ready(Pipeline pipeline) implements State {}

    private record WarmingUp(ServedModels models) implements State {}

    private record Unready(FailureException why) implements State {}

    Readiness(
            TritonServer triton,
            LimitsConfig limits,
            ReadinessConfig config,
            @GrpcService GrpcHealth health,
            Meters meters) {
        ReadinessConfig.check(config);
        this.limits = limits;
        this.config = config;
        this.health = health;
        this.meters = meters;
        this.triton = triton;
        triton.addListener(this);
    }

    /** Now, and not when the gRPC server is built: until here, what is counted is lost. */
    void begin(@Observes StartupEvent started) {
        triton.watch();
    }

    /** What serves calls now, or the failure that a call gets. */
    Pipeline pipeline() {
        State now = state;
        if (now instanceof Ready ready) {
            return ready.pipeline();
        }
        if (now instanceof Unready unready) {
            FailureException why = unready.why(); // a new one: its stack trace is the caller's
            throw FailureException.of(why.reason(), why.message(), why.metadata());
        }
        throw unavailable("the models are warming up");
    }

    public boolean isReady() {
        return state instanceof Ready;
    }

    /** Why calls cannot be served, for whoever runs the gateway; "ready" if they can. */
    public String explanation() {
        State now = state;
        if (now instanceof Unready unready) {
            return unready.why().message();
        }
        return now instanceof Ready ? "ready" : "the models are warming up";
    }

    @Override
    public void ready(ServedModels models) {
        WarmingUp next = new WarmingUp(models);
        become(next);
        warmUps.execute(() -> warmUp(next));
    }

    @Override
    public void unavailable(FailureException why) {
        become(new Unready(why));
    }

    /** Nothing is ready from now on, whatever becomes of the model server. */
    synchronized void stop() {
        if (!stopping) {
            become(new Unready(
                    FailureException.of(ErrorReason.SHUTTING_DOWN, "the server is shutting down; try again")));
            stopping = true;
        }
    }

    @PreDestroy
    void close() {
        stop();
        warmUps.shutdownNow();
        encoders.shutdown(); // what it has taken, somebody waits for
    }

    private void warmUp(WarmingUp attempt) {
        if (state != attempt) {
            return; // newer models, or none any more
        }
        try {
            Pipeline pipeline = Pipeline.of(attempt.models(), limits, encoders);
            pipeline.variants().served().forEach(variant -> generateOnce(pipeline, variant));
            becomeAfter(attempt, new Ready(pipeline));
        } catch (FailureException failure) {
            if (failure.reason() == ErrorReason.MODEL_CONTRACT_VIOLATED) {
                becomeAfter(attempt, new Unready(failure)); // until other models come
            } else {
                tryAgain(attempt, failure);
            }
        } catch (RuntimeException | Error thrown) {
            tryAgain(attempt, thrown);
        }
    }

    private void tryAgain(WarmingUp attempt, Throwable thrown) {
        if (state == attempt) {
            LOG.warn("the warm-up generation failed", thrown);
            var unused =
                    warmUps.schedule(() -> warmUp(attempt), config.warmUpRetry().toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /**
     * A step with guidance and one without, one portrait of nobody in particular, scored: every network that the variant
     * may need has run.
     */
    private void generateOnce(Pipeline pipeline, Variant variant) {
        float[] values = new float[pipeline.models().sizes().embeddingSize()];
        Arrays.fill(values, 1);
        IdentitySource nobody =
                new IdentitySource.GivenEmbedding(values, pipeline.recogniser().id());
        GenerationOptions shortest = new GenerationOptions(
                variant,
                1,
                2,
                2,
                0.5f,
                SchedulerKind.DPMPP_2M,
                0,
                1,
                ImageFormat.JPEG,
                92,
                false,
                SimilarityFloor.NONE);
        Context.CancellableContext context =
                Context.ROOT.withDeadlineAfter(config.warmUpTimeout().toNanos(), TimeUnit.NANOSECONDS, warmUps);
        try {
            context.run(() -> pipeline.generator().generate(nobody, shortest, meters.warmUp(variant)));
        } finally {
            context.cancel(null);
        }
    }

    private synchronized void becomeAfter(WarmingUp attempt, State next) {
        if (state == attempt) {
            become(next);
        }
    }

    private synchronized void become(State next) {
        if (stopping) {
            return;
        }
        state = next;
        health.set(isReady());
        LOG.info(explanation());
    }

    private static FailureException unavailable(String why) {
        return FailureException.of(ErrorReason.MODEL_SERVER_UNAVAILABLE, why + "; try again");
    }
}
