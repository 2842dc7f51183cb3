package dev.arc2face.gateway.http;

import dev.arc2face.gateway.grpc.Readiness;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;

/** Ready: the models are read and warmed up, and the model server is there. */
@org.eclipse.microprofile.health.Readiness
@Singleton
final class ModelsReady implements HealthCheck {
    private final Readiness readiness;

    ModelsReady(Readiness readiness) {
        this.readiness = readiness;
    }

    @Override
    public HealthCheckResponse call() {
        return HealthCheckResponse.named("models")
                .status(readiness.isReady())
                .withData("state", readiness.explanation())
                .build();
    }
}
