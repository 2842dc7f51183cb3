package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.quarkus.grpc.GrpcService;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The portrait service as the server finds it, with the threads that its calls run on. */
@GrpcService
@Singleton
public final class PortraitEndpoint implements BindableService {
    private final BoundedExecutor generations;
    private final BoundedExecutor unaryCalls;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "stream-timer");
        thread.setDaemon(true);
        return thread;
    });
    private final ServerServiceDefinition definition;

    PortraitEndpoint(
            Readiness readiness,
            LimitsConfig limits,
            GenerationConfig defaults,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        LimitsConfig.check(limits);
        GenerationConfig.check(defaults);
        generations = new BoundedExecutor("generation", limits.maxRunning(), limits.maxQueued());
        unaryCalls = new BoundedExecutor("unary", limits.maxUnaryRunning(), limits.maxUnaryQueued());
        Requests requests = new Requests(defaults, limits);
        PortraitServiceImpl service = new PortraitServiceImpl(
                readiness,
                requests,
                new ModelInfo(limits, defaults, requests, version),
                limits,
                generations,
                unaryCalls,
                timer);
        definition = GuardedService.of(
                service, (int) limits.maxRequestBytes().asLongValue(), new ErrorStatus(limits.retryAfter()));
    }

    @Override
    public ServerServiceDefinition bindService() {
        return definition;
    }

    @PreDestroy
    void close() {
        generations.close();
        unaryCalls.close();
        timer.shutdownNow();
    }
}
