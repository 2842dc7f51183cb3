package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.Folders;
import dev.arc2face.gateway.security.ApiKeys;
import dev.arc2face.gateway.security.Certificates;
import dev.arc2face.gateway.security.Role;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceBlockingStub;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

/** A gateway with mutual TLS whose certificate is renewed while it runs. */
@QuarkusTest
@TestProfile(TlsTest.Encrypted.class)
@WithTestResource(TritonResource.class)
class TlsTest {
    private static final String FOLDER = "arc2face.test.tls";
    private static final String KEY = "a-callers-own-key";

    /** Certificates of a server and two clients, one of them another authority's. */
    public static final class Encrypted implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                Path folder = Folders.create("tls");
                System.setProperty(FOLDER, folder.toString());
                Certificates certificates = Certificates.in(Files.createDirectory(folder.resolve("ours")));
                certificates.certify("server", "ip:127.0.0.1");
                certificates.certify("client", "uri:spiffe://example/studio");
                Certificates others = Certificates.in(Files.createDirectory(folder.resolve("others")));
                others.certify("client", "uri:spiffe://example/studio");
                Path keys =
                        Files.writeString(folder.resolve("keys"), ApiKeys.line("caller", KEY, Set.of(Role.GENERATE)));
                return Map.of(
                        "arc2face.security.api-keys-file",
                        keys.toString(),
                        "arc2face.security.tls.certificate",
                        certificates.certificate("server").toString(),
                        "arc2face.security.tls.key",
                        certificates.key("server").toString(),
                        "arc2face.security.tls.client-ca",
                        certificates.ca().toString(),
                        "quarkus.http.ssl.certificate.files",
                        certificates.certificate("server").toString(),
                        "quarkus.http.ssl.certificate.key-files",
                        certificates.key("server").toString(),
                        "quarkus.http.test-ssl-port",
                        Integer.toString(freePort()),
                        "arc2face.security.certificate-roles",
                        "embed",
                        "arc2face.security.reload-interval",
                        "PT0.1S");
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void certificateOpensOverHttpsAsWell() {
        await().ignoreExceptions().until(() -> https("ours/client", "/v1/model") == 200);
        assertThat(https("ours/client", "/v1/generations/x")).isEqualTo(403);
        assertThatThrownBy(() -> https("others/client", "/v1/model")).isInstanceOf(CompletionException.class);
        assertThat(Gateway.httpPage("/v1/model")).contains("UNAUTHENTICATED"); // in the clear there is none
    }

    @Test
    void keyOpensNothingWithoutACertificate() {
        await().ignoreExceptions().until(() -> https("ours/client", "/v1/model", KEY) == 200);
        assertThat(https("ours/client", "/v1/generations/x", KEY)).isEqualTo(404); // the key's role
        assertThat(Gateway.httpPage("/v1/model", KEY)).contains("\"UNAUTHENTICATED\"", "no client certificate");
    }

    private static int https(String client, String path) {
        return https(client, path, "");
    }

    /** The status of a page for a client with that certificate, and a key unless it is empty. */
    private static int https(String client, String path, String key) {
        Vertx vertx = Vertx.vertx();
        try {
            HttpClientOptions options = new HttpClientOptions()
                    .setSsl(true)
                    .setTrustOptions(new PemTrustOptions()
                            .addCertPath(file("ours/ca.pem").toString()))
                    .setKeyCertOptions(new PemKeyCertOptions()
                            .setCertPath(file(client + ".pem").toString())
                            .setKeyPath(file(client + ".key").toString()));
            int port = ConfigProvider.getConfig().getValue("quarkus.http.test-ssl-port", Integer.class);
            return vertx.createHttpClient(options)
                    .request(HttpMethod.GET, port, "127.0.0.1", path)
                    .compose(request -> (key.isEmpty() ? request : request.putHeader("x-api-key", key)).send())
                    .map(HttpClientResponse::statusCode)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void clientWithACertificateOfOursGetsInWithItsRoles() throws IOException {
        ChannelCredentials ours = credentials("ours/client");
        await().ignoreExceptions().until(() -> profile(ours).equals("mini"));
        Failure.of(() -> call(
                        ours,
                        stub -> stub.cancelGeneration(CancelGenerationRequest.newBuilder()
                                .setRequestId("x")
                                .build())))
                .isFor(ErrorReason.PERMISSION_DENIED);
    }

    @Test
    void nobodyElseGetsIn() throws IOException {
        for (ChannelCredentials credentials : new ChannelCredentials[] {
            InsecureChannelCredentials.create(),
            TlsChannelCredentials.newBuilder()
                    .trustManager(file("ours/ca.pem").toFile())
                    .build(),
            credentials("others/client")
        }) {
            assertThatThrownBy(() -> profile(credentials))
                    .extracting(thrown -> Status.fromThrowable(thrown).getCode())
                    .isEqualTo(Status.Code.UNAVAILABLE);
        }
    }

    @Test
    void renewedCertificateIsUsedWithoutARestart() throws IOException {
        ChannelCredentials strict = credentials("ours/client");
        await().ignoreExceptions().until(() -> profile(strict).equals("mini"));
        // A new key under the old roots; whoever trusts only this very certificate sees the change.
        String before = Files.readString(file("ours/server.pem"));
        Certificates.in(file("ours")).certify("server", "ip:127.0.0.1");
        String after = Files.readString(file("ours/server.pem"));
        assertThat(after).isNotEqualTo(before);
        ChannelCredentials pinned = TlsChannelCredentials.newBuilder()
                .trustManager(new ByteArrayInputStream(leaf(after)))
                .keyManager(
                        file("ours/client.pem").toFile(),
                        file("ours/client.key").toFile())
                .build();
        await().ignoreExceptions().until(() -> profile(pinned).equals("mini"));
    }

    /** The first certificate of a PEM file. */
    private static byte[] leaf(String pem) {
        String end = "-----END CERTIFICATE-----";
        return pem.substring(0, pem.indexOf(end) + end.length()).getBytes(US_ASCII);
    }

    private static String profile(ChannelCredentials credentials) {
        return call(
                credentials,
                stub -> stub.getModelInfo(GetModelInfoRequest.getDefaultInstance())
                        .getProfile());
    }

    private static <T> T call(ChannelCredentials credentials, Function<PortraitServiceBlockingStub, T> work) {
        int port = ConfigProvider.getConfig().getValue("quarkus.grpc.server.test-port", Integer.class);
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", port, credentials).build();
        try {
            return work.apply(PortraitServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, SECONDS));
        } finally {
            channel.shutdownNow();
        }
    }

    private static ChannelCredentials credentials(String client) throws IOException {
        return TlsChannelCredentials.newBuilder()
                .trustManager(file("ours/ca.pem").toFile())
                .keyManager(
                        file(client + ".pem").toFile(), file(client + ".key").toFile())
                .build();
    }

    private static Path file(String name) {
        return Path.of(System.getProperty(FOLDER), name);
    }
}
