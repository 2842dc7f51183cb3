package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceBlockingStub;
import io.grpc.Attributes;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder.LocalSocketPicker;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc.ServerReflectionStub;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.eclipse.microprofile.config.ConfigProvider;

/** The gateway under test as its callers see it: the public stubs and the ports. */
public final class Gateway implements AutoCloseable {
    /** One for all: a client that nobody holds is taken apart in the middle of its request, which then never ends. */
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    /** HTTP/2's own, and never more, so that a client which does not read is felt soon. */
    private static final int FLOW_CONTROL_WINDOW = 65_535;

    private static final String HTTP_PORT = "quarkus.http.test-port";
    private static final String RECOGNISER = "mobileface-human-models-3.0.4";
    private static final int EMBEDDING_SIZE = 256;

    final ManagedChannel channel;

    public Gateway() {
        this(port("quarkus.grpc.server.test-port"), "127.0.0.1");
    }

    /** A server that a test has started by itself. */
    Gateway(int port) {
        this(port, "127.0.0.1");
    }

    /** The gateway as a caller with another address of the loopback network sees it. */
    public Gateway(String localAddress) {
        this(port("quarkus.grpc.server.test-port"), localAddress);
    }

    private Gateway(int port, String localAddress) {
        channel = NettyChannelBuilder.forAddress("127.0.0.1", port)
                .usePlaintext()
                .flowControlWindow(FLOW_CONTROL_WINDOW)
                .localSocketPicker(new LocalSocketPicker() {
                    @Override
                    public SocketAddress createSocketAddress(SocketAddress remote, Attributes attributes) {
                        return new InetSocketAddress(localAddress, 0);
                    }
                })
                .build();
    }

    public PortraitServiceBlockingStub service() {
        return PortraitServiceGrpc.newBlockingStub(channel).withDeadlineAfter(120, SECONDS);
    }

    public List<GenerateResponse> generate(GenerateRequest.Builder request) {
        List<GenerateResponse> events = new ArrayList<>();
        service().generate(request.build()).forEachRemaining(events::add);
        return events;
    }

    public List<ByteString> portraits(GenerateRequest.Builder request) {
        return images(generate(request)).stream().map(PortraitImage::getData).toList();
    }

    public static List<PortraitImage> images(List<GenerateResponse> events) {
        return events.stream()
                .filter(GenerateResponse::hasImage)
                .map(GenerateResponse::getImage)
                .toList();
    }

    /** Without what a clock or a name has to do with it. */
    public static GenerateResponse timeless(GenerateResponse event) {
        GenerateResponse.Builder timeless = event.toBuilder();
        if (event.hasCompleted()) {
            timeless.getCompletedBuilder()
                    .clearElapsed()
                    .clearTimings()
                    .getReceiptBuilder()
                    .clearReceiptId()
                    .getRequestBuilder()
                    .clearRequestId();
        }
        if (event.hasStepProgress()) {
            timeless.getStepProgressBuilder().clearElapsed().clearExpectedRemaining();
        }
        if (event.hasAccepted()) {
            timeless.getAcceptedBuilder().clearRequestId();
        }
        return timeless.build();
    }

    ServingStatus health(String service) {
        return HealthGrpc.newBlockingStub(channel)
                .withDeadlineAfter(60, SECONDS)
                .check(HealthCheckRequest.newBuilder().setService(service).build())
                .getStatus();
    }

    /** What the reflection service lists. */
    static List<String> services(ServerReflectionStub reflection) {
        return ClientCalls.blockingServerStreamingCall( // with one question, its stream is one
                        reflection.getChannel(),
                        ServerReflectionGrpc.getServerReflectionInfoMethod(),
                        reflection.getCallOptions().withDeadlineAfter(60, SECONDS),
                        ServerReflectionRequest.newBuilder().setListServices("").build())
                .next()
                .getListServicesResponse()
                .getServiceList()
                .stream()
                .map(ServiceResponse::getName)
                .toList();
    }

    public Gateway awaitServing() {
        await().until(() -> health("") == ServingStatus.SERVING);
        return this;
    }

    /** The status of a page of the HTTP server. */
    static int httpStatus(String path) {
        return get(HTTP_PORT, path).statusCode();
    }

    /** What a page of the HTTP server says to whoever has that key. */
    static String httpPage(String path, String apiKey) {
        return get(HTTP_PORT, path, "x-api-key", apiKey).body();
    }

    /** What a page of the HTTP server says. */
    static String httpPage(String path) {
        return get(HTTP_PORT, path).body();
    }

    /** The status of a page of the management port. */
    static int managementStatus(String path) {
        return get("quarkus.management.test-port", path).statusCode();
    }

    /** What the metrics page says. */
    public static String metrics() {
        return get("quarkus.management.test-port", "/q/metrics").body();
    }

    private static HttpResponse<String> get(String port, String path, String... headers) {
        URI uri = URI.create("http://127.0.0.1:" + port(port) + path);
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(uri);
            for (int i = 0; i < headers.length; i += 2) {
                request.header(headers[i], headers[i + 1]);
            }
            return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(stopped);
        }
    }

    /** NASA's portrait of Eileen Collins: one large face. */
    public static ByteString sample() {
        try {
            return ByteString.copyFrom(Files.readAllBytes(Path.of("..", "samples", "collins.png")));
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }

    public static IdentitySource photo(ByteString encoded) {
        return IdentitySource.newBuilder().setPhoto(encoded).build();
    }

    /** Somebody who does not exist; another one for another seed. */
    public static IdentitySource somebody(long seed) {
        Embedding.Builder embedding = Embedding.newBuilder().setRecogniserId(RECOGNISER);
        new Random(seed).doubles(EMBEDDING_SIZE).forEach(value -> embedding.addValues((float) value - 0.5f));
        return IdentitySource.newBuilder().setEmbedding(embedding).build();
    }

    public static GenerateRequest.Builder request(IdentitySource identity) {
        return GenerateRequest.newBuilder().setIdentity(identity);
    }

    private static int port(String key) {
        return ConfigProvider.getConfig().getValue(key, Integer.class);
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
