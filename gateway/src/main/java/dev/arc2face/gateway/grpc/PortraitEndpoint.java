package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.admission.Admission;
import dev.arc2face.gateway.admission.StepQuota;
import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.PolicyConfig;
import dev.arc2face.gateway.config.QuotasConfig;
import dev.arc2face.gateway.config.ReceiptsConfig;
import dev.arc2face.gateway.config.RestConfig;
import dev.arc2face.gateway.config.ResumeConfig;
import dev.arc2face.gateway.security.Policy;
import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.quarkus.grpc.GrpcService;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The portrait service as the server finds it, with the threads that its calls run on. */
@GrpcService
@Singleton
public final class PortraitEndpoint implements BindableService {
    /** As many as the admission lets run. */
    private final ExecutorService generations = Executors.newCachedThreadPool(new DaemonThreads("generation"));

    private final Readiness readiness;
    private final Admission admission;
    private final Duration shutdownGrace;
    private final BoundedExecutor unaryCalls;
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(1, new DaemonThreads("stream-timer"));
    private final ServerServiceDefinition definition;
    private final DetachedService detached;

    PortraitEndpoint(
            Readiness readiness,
            LimitsConfig limits,
            GenerationConfig defaults,
            ResumeConfig resume,
            QuotasConfig quotas,
            PolicyConfig policy,
            ReceiptsConfig receiptKeys,
            RestConfig rest,
            Meters meters,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        LimitsConfig.check(limits);
        timer.setRemoveOnCancelPolicy(true); // most of what it is told to do is called off long before
        GenerationConfig.check(defaults);
        ResumeConfig.check(resume);
        QuotasConfig.check(quotas);
        RestConfig.check(rest);
        this.readiness = readiness;
        this.shutdownGrace = limits.shutdownGrace();
        admission = new Admission(limits, quotas, generations, timer, System::nanoTime);
        meters.watch(admission, readiness);
        unaryCalls = new BoundedExecutor(
                "unary", limits.maxUnaryRunning(), limits.maxUnaryQueued(), quotas.unaryCallsPerCaller());
        Requests requests = new Requests(defaults, limits);
        Receipts receipts = new Receipts(receiptKeys, version);
        PortraitServiceImpl service = new PortraitServiceImpl(
                readiness,
                requests,
                new ModelInfo(limits, defaults, requests, receipts, version),
                receipts,
                new Generations(resume, timer),
                new StepQuota(quotas.imageStepsPerMinute(), System::nanoTime),
                new Policy(policy),
                meters,
                limits,
                unaryCalls,
                timer,
                rest.listenerGrace());
        int maxRequestBytes = (int) limits.maxRequestBytes().asLongValue();
        ErrorStatus errors = new ErrorStatus(limits.retryAfter());
        ServerInterceptor atCallStart = new AdmissionInterceptor(admission, limits.clientStall(), timer);
        ValidationInterceptor constraints = GuardedService.constraints();
        definition = GuardedService.of(service.bindService(), constraints, maxRequestBytes, errors, atCallStart);
        detached = new DetachedService(service, constraints, maxRequestBytes, errors, atCallStart);
    }

    @Override
    public ServerServiceDefinition bindService() {
        return definition;
    }

    /** The same service for callers who do not speak gRPC. */
    DetachedService detached() {
        return detached;
    }

    /**
     * Comes before anything is taken apart, the HTTP server first of all: what runs may end, and be heard to. Whoever tries
     * again what is refused now finds another gateway, and not this one on the same connection.
     */
    void drain(@Observes ShutdownDelayInitiatedEvent stopping, ServerSetup server) {
        readiness.stop();
        server.sendAway();
        try {
            admission.drain(shutdownGrace);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @PreDestroy
    void close() {
        generations.shutdownNow();
        unaryCalls.close();
        timer.shutdownNow();
    }
}
