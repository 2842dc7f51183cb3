package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an attacker may try; after each attack somebody else is served as if nothing had happened. */
@QuarkusTest
@TestProfile(AttacksTest.Guarded.class)
@WithTestResource(TritonResource.class)
class AttacksTest extends ConnectedTest {
    private static final int ENHANCE_YOUR_CALM = 11;
    private static final int CANCEL = 8;

    /** A caller has few places. */
    public static final class Guarded implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "arc2face.quotas.generations-per-caller", "8",
                    "arc2face.quotas.unary-calls-per-caller", "8",
                    "arc2face.limits.max-resets", "200");
        }
    }

    @AfterEach
    void somebodyElseIsServed() {
        try (Gateway other = new Gateway("127.0.0.5")) {
            GenerateRequest.Builder request =
                    Gateway.request(Gateway.somebody(1)).setSteps(2).setSeed(1);
            assertThat(Gateway.images(other.generate(request))).hasSize(1);
        }
    }

    @Test
    void oversizedMetadata() {
        Metadata large = new Metadata();
        large.put(Metadata.Key.of("padding", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(20_000));
        StatusRuntimeException refused = Assertions.catchThrowableOfType(
                StatusRuntimeException.class,
                () -> gateway.service()
                        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(large))
                        .getModelInfo(GetModelInfoRequest.getDefaultInstance()));
        // The transport, the client's or the server's, turns it away.
        assertThat(refused.getStatus().getCode())
                .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.INTERNAL, Status.Code.UNAVAILABLE);
    }

    @Test
    void floodOfHeadersThatNeverEnd() throws IOException {
        try (RawHttp2 connection = new RawHttp2(port())) {
            connection.send(RawHttp2.HEADERS, 0, 1, RawHttp2.headers(generate()));
            ByteArrayOutputStream more = new ByteArrayOutputStream();
            for (int i = 0; i < 100; i++) {
                RawHttp2.header(more, "name-" + i, "v".repeat(100));
            }
            boolean stopped = false;
            try {
                for (int i = 0; i < 2000 && !stopped; i++) { // 22 MB
                    connection.send(RawHttp2.CONTINUATION, 0, 1, more.toByteArray());
                }
            } catch (SocketException closed) {
                stopped = true;
            }
            assertThat(stopped || saysGoodbye(connection)).isTrue();
        }
    }

    @Test
    void rapidReset() throws IOException {
        try (RawHttp2 connection = new RawHttp2(port())) {
            byte[] headers = RawHttp2.headers(generate());
            byte[] cancel = ByteBuffer.allocate(4).putInt(CANCEL).array();
            try {
                for (int stream = 1; stream < 20_000; stream += 2) {
                    connection.send(RawHttp2.HEADERS, RawHttp2.END_HEADERS, stream, headers);
                    connection.send(RawHttp2.RST_STREAM, 0, stream, cancel);
                }
                assertThat(connection.awaitGoodbye()).isIn(ENHANCE_YOUR_CALM, -1);
            } catch (SocketException closed) {
                // The server has closed the connection while we were still sending.
            }
        }
    }

    @Test
    void floodOfPings() throws IOException {
        try (RawHttp2 connection = new RawHttp2(port())) {
            connection.send(RawHttp2.HEADERS, RawHttp2.END_HEADERS, 1, RawHttp2.headers(generate()));
            try {
                for (int i = 0; i < 10_000; i++) {
                    connection.send(RawHttp2.PING, 0, 0, new byte[Long.BYTES]);
                }
                assertThat(connection.awaitGoodbye()).isIn(ENHANCE_YOUR_CALM, -1);
            } catch (SocketException closed) {
                // The server has closed the connection while we were still sending.
            }
        }
    }

    @Test
    void messageThatGrowsWhenDecompressed() {
        DetectFacesRequest bomb = DetectFacesRequest.newBuilder()
                .setPhoto(ByteString.copyFrom(new byte[100 << 20])) // 100 kB on the wire
                .build();
        Failure.of(() -> gateway.service().withCompression("gzip").detectFaces(bomb))
                .isFor(ErrorReason.MESSAGE_TOO_LARGE);
    }

    @Test
    void thousandConnectionsOfOneCaller() {
        NioEventLoopGroup loop = new NioEventLoopGroup(1);
        List<ManagedChannel> channels = new ArrayList<>();
        List<CallWithoutRequest> calls = new ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) {
                ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port())
                        .usePlaintext()
                        .eventLoopGroup(loop)
                        .channelType(NioSocketChannel.class)
                        .directExecutor()
                        .build();
                channels.add(channel);
                calls.add(new CallWithoutRequest(channel)); // takes a place, if there is one
            }
            Failure.of(calls.get(999).awaitFailure()).isFor(ErrorReason.QUOTA_EXCEEDED);
            Failure.of(() -> gateway.generate(
                            Gateway.request(Gateway.somebody(1)).setSteps(1)))
                    .isFor(ErrorReason.QUOTA_EXCEEDED);
            somebodyElseIsServed();
        } finally {
            channels.forEach(ManagedChannel::shutdownNow);
            var unused = loop.shutdownGracefully(0, 1, SECONDS);
        }
    }

    private static boolean saysGoodbye(RawHttp2 connection) throws IOException {
        try {
            connection.awaitGoodbye();
            return true;
        } catch (SocketException closed) {
            return true;
        }
    }

    private static String generate() {
        return "/" + PortraitServiceGrpc.getGenerateMethod().getFullMethodName();
    }

    private static int port() {
        return ConfigProvider.getConfig().getValue("quarkus.grpc.server.test-port", Integer.class);
    }
}
