package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The health service stands for any: Watch is a call that goes on, Check one that does not. */
class GoAwayTest {
    private static final HealthCheckRequest REQUEST = HealthCheckRequest.getDefaultInstance();

    private final GoAway goAway = new GoAway();
    private final HealthStatusManager first = new HealthStatusManager();
    private final HealthStatusManager second = new HealthStatusManager();
    private final List<Server> servers = new CopyOnWriteArrayList<>();
    private final List<ServingStatus> watched = new CopyOnWriteArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(Server::shutdownNow);
    }

    @Test
    void runningCallGoesOnAndTheNextOneIsAnotherServers() throws IOException {
        int port = serve(0, first, goAway);
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
        HealthGrpc.newStub(channel).watch(REQUEST, watching());
        await().until(() -> watched.equals(List.of(ServingStatus.SERVING)));

        goAway.send();
        assertThat(serve(port, second, new GoAway())).isEqualTo(port); // which the first one has let go of
        second.setStatus("", ServingStatus.UNKNOWN);
        await().until(() -> channel.getState(false) == ConnectivityState.IDLE);
        assertThat(HealthGrpc.newBlockingStub(channel).check(REQUEST).getStatus())
                .isEqualTo(ServingStatus.UNKNOWN);
        first.setStatus("", ServingStatus.NOT_SERVING);
        await().until(() -> watched.equals(List.of(ServingStatus.SERVING, ServingStatus.NOT_SERVING)));
        channel.shutdownNow();
    }

    private int serve(int port, HealthStatusManager health, ServerInterceptor interceptor) throws IOException {
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .addService(health.getHealthService())
                .intercept(interceptor)
                .build()
                .start();
        servers.add(server);
        return server.getPort();
    }

    private StreamObserver<HealthCheckResponse> watching() {
        return new StreamObserver<>() {
            @Override
            public void onNext(HealthCheckResponse health) {
                watched.add(health.getStatus());
            }

            @Override
            public void onError(Throwable thrown) {}

            @Override
            public void onCompleted() {}
        };
    }
}
