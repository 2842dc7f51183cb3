package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.LimitsConfig;
import io.quarkus.grpc.api.ServerBuilderCustomizer;
import io.quarkus.grpc.runtime.config.GrpcServerConfiguration;
import io.vertx.grpc.VertxServerBuilder;
import jakarta.inject.Singleton;

/** What holds for every call to the server, its health and reflection services and unknown methods too. */
@Singleton
public final class ServerSetup implements ServerBuilderCustomizer<VertxServerBuilder> {
    private final LimitsConfig limits;

    ServerSetup(LimitsConfig limits) {
        this.limits = limits;
    }

    @Override
    public void customize(GrpcServerConfiguration config, VertxServerBuilder server) {
        server.intercept(new ErrorInterceptor(new ErrorStatus(limits.retryAfter())));
        server.fallbackHandlerRegistry(new UnknownMethods());
    }
}
