package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** The health service stands for any: Watch is a call that goes on, Check one that does not. */
class GoAwayTest {
    private static final HealthCheckRequest REQUEST = HealthCheckRequest.getDefaultInstance();
    private static final Duration OFTEN = Duration.ofMillis(1);

    private static final EventLoopGroup ACCEPTORS = new NioEventLoopGroup(1);
    private static final EventLoopGroup WORKERS = new NioEventLoopGroup(1);

    private final GoAway goAway = new GoAway(ACCEPTORS);
    private final HealthStatusManager first = new HealthStatusManager();
    private final HealthStatusManager second = new HealthStatusManager();
    private final List<Server> servers = new CopyOnWriteArrayList<>();
    private final List<ServingStatus> watched = new CopyOnWriteArrayList<>();

    @AfterAll
    static void stopThreads() {
        for (EventLoopGroup threads : List.of(ACCEPTORS, WORKERS)) {
            threads.shutdownGracefully(0, 1, SECONDS).awaitUninterruptibly();
        }
    }

    @AfterEach
    void stop() {
        servers.forEach(Server::shutdownNow);
    }

    @Test
    void runningCallGoesOnAndTheNextOneIsAnotherServers() throws IOException {
        int port = serve(0, first, goAway);
        ManagedChannel channel = connect(port);
        HealthGrpc.newStub(channel).watch(REQUEST, watching(watched::add));
        await().until(() -> watched.equals(List.of(ServingStatus.SERVING)));

        goAway.send();
        assertThat(serve(port, second, new GoAway(ACCEPTORS))).isEqualTo(port); // which the first one has let go of
        second.setStatus("", ServingStatus.UNKNOWN);
        await().until(() -> channel.getState(false) == ConnectivityState.IDLE);
        assertThat(HealthGrpc.newBlockingStub(channel).check(REQUEST).getStatus())
                .isEqualTo(ServingStatus.UNKNOWN);
        first.setStatus("", ServingStatus.NOT_SERVING);
        await().until(() -> watched.equals(List.of(ServingStatus.SERVING, ServingStatus.NOT_SERVING)));
        channel.shutdownNow();
    }

    @RepeatedTest(50) // for one in ten was late where nothing waited for it
    void whatIsSentAfterwardsComesAfterwards() throws IOException {
        ManagedChannel channel = connect(serve(0, first, goAway));
        List<ConnectivityState> states = new CopyOnWriteArrayList<>();
        HealthGrpc.newStub(channel)
                .withExecutor(Runnable::run)
                .watch(REQUEST, watching(status -> states.add(channel.getState(false))));
        await().pollInterval(OFTEN).until(() -> states.size() == 1);

        goAway.send();
        first.setStatus("", ServingStatus.NOT_SERVING);
        await().pollInterval(OFTEN).until(() -> states.size() == 2);
        assertThat(states).containsExactly(ConnectivityState.READY, ConnectivityState.IDLE);
        channel.shutdownNow();
    }

    private static ManagedChannel connect(int port) {
        return NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    }

    private int serve(int port, HealthStatusManager health, ServerInterceptor interceptor) throws IOException {
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .channelType(NioServerSocketChannel.class)
                .bossEventLoopGroup(ACCEPTORS)
                .workerEventLoopGroup(WORKERS)
                .addService(health.getHealthService())
                .intercept(interceptor)
                .build()
                .start();
        servers.add(server);
        return server.getPort();
    }

    private static StreamObserver<HealthCheckResponse> watching(Consumer<ServingStatus> told) {
        return new StreamObserver<>() {
            @Override
            public void onNext(HealthCheckResponse health) {
                told.accept(health.getStatus());
            }

            @Override
            public void onError(Throwable thrown) {}

            @Override
            public void onCompleted() {}
        };
    }
}
