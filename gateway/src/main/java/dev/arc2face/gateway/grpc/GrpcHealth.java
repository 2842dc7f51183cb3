package dev.arc2face.gateway.grpc;

import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.quarkus.grpc.GrpcService;
import jakarta.inject.Singleton;

/**
 * The standard gRPC health service, for the server as a whole ("") and for the portrait service. Quarkus' own would say
 * SERVING as soon as the server listens, and knows no NOT_FOUND.
 */
@GrpcService
@Singleton
public final class GrpcHealth implements BindableService {
    private final HealthStatusManager statuses = new HealthStatusManager();

    GrpcHealth() {
        set(false);
    }

    void set(boolean ready) {
        ServingStatus status = ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
        statuses.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
        statuses.setStatus(PortraitServiceGrpc.SERVICE_NAME, status);
    }

    @Override
    public ServerServiceDefinition bindService() {
        return statuses.getHealthService().bindService();
    }
}
