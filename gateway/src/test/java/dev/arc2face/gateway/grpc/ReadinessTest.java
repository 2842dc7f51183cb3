package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.TritonProcess;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

/** A gateway through the life of its model server: absent, there, killed, there again. */
@QuarkusTest
@WithTestResource(AbsentTriton.class)
class ReadinessTest {
    @ConfigProperty(name = "arc2face.triton.targets")
    String target;

    @Test
    void servesWhileItsModelServerIsThereAndSaysSoWhenItIsNot() {
        try (Gateway gateway = new Gateway()) {
            List<ServingStatus> statuses = watch(gateway);
            assertUnready(gateway);

            GenerateRequest.Builder request =
                    Gateway.request(Gateway.somebody(1)).setSteps(3).setSeed(1);
            int port = Integer.parseInt(target.substring(target.lastIndexOf(':') + 1));
            try (TritonProcess triton = new TritonProcess(port)) {
                gateway.awaitServing();
                assertThat(Gateway.managementStatus("/q/health/ready")).isEqualTo(200);
                List<ByteString> portraits = gateway.portraits(request);

                SlowReader running = new SlowReader(gateway);
                running.call(Gateway.request(Gateway.somebody(1))
                        .setSteps(100)
                        .setNumImages(16)
                        .build());
                running.readAll();
                await().until(() -> running.events().stream().anyMatch(GenerateResponse::hasStepProgress));
                triton.kill();
                Failure.of(running.awaitFailure()).isFor(ErrorReason.MODEL_SERVER_UNAVAILABLE);
                await().until(() -> gateway.health("") == ServingStatus.NOT_SERVING);
                assertUnready(gateway);

                triton.restart();
                gateway.awaitServing();
                assertThat(gateway.portraits(request)).isEqualTo(portraits);
            }
            await().until(() -> gateway.health("") == ServingStatus.NOT_SERVING);
            await().untilAsserted(() -> assertThat(statuses)
                    .containsExactly(
                            ServingStatus.NOT_SERVING,
                            ServingStatus.SERVING,
                            ServingStatus.NOT_SERVING,
                            ServingStatus.SERVING,
                            ServingStatus.NOT_SERVING));
        }
    }

    private static void assertUnready(Gateway gateway) {
        assertThat(Gateway.managementStatus("/q/health/live")).isEqualTo(200);
        assertThat(Gateway.managementStatus("/q/health/ready")).isEqualTo(503);
        assertThat(gateway.health("")).isEqualTo(ServingStatus.NOT_SERVING);
        assertThat(gateway.health(PortraitServiceGrpc.SERVICE_NAME)).isEqualTo(ServingStatus.NOT_SERVING);
        Failure.of(() -> gateway.generate(Gateway.request(Gateway.somebody(1))))
                .isFor(ErrorReason.MODEL_SERVER_UNAVAILABLE);
        Failure.of(() -> gateway.service().getModelInfo(GetModelInfoRequest.getDefaultInstance()))
                .isFor(ErrorReason.MODEL_SERVER_UNAVAILABLE);
        Failure.of(() -> gateway.service()
                        .detectFaces(DetectFacesRequest.newBuilder()
                                .setPhoto(Gateway.sample())
                                .build()))
                .isFor(ErrorReason.MODEL_SERVER_UNAVAILABLE);
    }

    /** What the health service tells somebody who watches the portrait service. */
    private static List<ServingStatus> watch(Gateway gateway) {
        List<ServingStatus> statuses = new CopyOnWriteArrayList<>();
        HealthGrpc.newStub(gateway.channel)
                .watch(
                        HealthCheckRequest.newBuilder()
                                .setService(PortraitServiceGrpc.SERVICE_NAME)
                                .build(),
                        new StreamObserver<>() {
                            @Override
                            public void onNext(HealthCheckResponse response) {
                                statuses.add(response.getStatus());
                            }

                            @Override
                            public void onError(Throwable closed) {}

                            @Override
                            public void onCompleted() {}
                        });
        return statuses;
    }
}
