package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.TritonConfig;
import dev.arc2face.gateway.triton.TritonServer;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** The one connection to Triton, open as long as the gateway runs. */
final class ModelServer {
    @Produces
    @Singleton
    TritonServer open(TritonConfig config, MeterRegistry meters) {
        return new TritonServer(config, meters);
    }

    void close(@Disposes TritonServer server) {
        server.close();
    }
}
