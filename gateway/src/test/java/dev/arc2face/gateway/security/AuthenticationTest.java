package dev.arc2face.gateway.security;

import static dev.arc2face.gateway.Waiting.await;
import static dev.arc2face.gateway.security.Credentials.bearer;
import static dev.arc2face.gateway.security.Credentials.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.SecurityConfig;
import io.grpc.Metadata;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AuthenticationTest {
    private static final Issuer ISSUER = Issuer.create("one");

    @TempDir
    Path folder;

    @Test
    void keyOpensForItsOwnerAndNobodyElse() throws IOException {
        String alices = ApiKeys.newKey();
        String bobs = ApiKeys.newKey();
        Path file = Files.writeString(
                folder.resolve("keys"),
                "# who may call\n\n" + ApiKeys.line("alice", alices, Set.of(Role.EMBED, Role.GENERATE)) + "\n"
                        + ApiKeys.line("bob", bobs, Set.of(Role.ADMIN)) + "\n");
        assertThat(Files.readString(file)).doesNotContain(alices, bobs).contains(" generate,embed\n");
        try (Authentication authentication = keys(file)) {
            assertThat(authentication.isOn()).isTrue();
            assertThat(authentication.authenticate(key(alices), null))
                    .isEqualTo(new Principal("key alice", Set.of(Role.GENERATE, Role.EMBED)));
            assertThat(authentication.authenticate(key(bobs), null).name()).isEqualTo("key bob");
            for (String wrong : List.of("", alices + "x", alices.substring(1), ApiKeys.newKey(), "alice")) {
                assertRefused(authentication, key(wrong));
            }
            assertRefused(authentication, new Metadata());
            assertRefused(authentication, bearer(alices));
            Metadata both = key(alices);
            both.merge(key(bobs));
            assertRefused(authentication, both);
        }
    }

    @Test
    void changedFileCountsAndABrokenOneDoesNot() throws IOException {
        String first = ApiKeys.newKey();
        String second = ApiKeys.newKey();
        Path file = Files.writeString(folder.resolve("keys"), ApiKeys.line("a", first, Set.of(Role.EMBED)));
        try (Authentication authentication = keys(file)) {
            Files.writeString(file, "nonsense");
            assertThat(authentication.authenticate(key(first), null).name()).isEqualTo("key a");
            Files.writeString(file, ApiKeys.line("a", second, Set.of(Role.EMBED)));
            await().ignoreExceptions().untilAsserted(() -> assertRefused(authentication, key(first)));
            assertThat(authentication.authenticate(key(second), null).name()).isEqualTo("key a");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "alice",
                "alice sha256:1234 generate",
                "alice 0000000000000000000000000000000000000000000000000000000000000000 generate",
                "a/b sha256:0000000000000000000000000000000000000000000000000000000000000000 generate",
                "alice sha256:0000000000000000000000000000000000000000000000000000000000000000 paint"
            })
    void fileThatIsWrongIsRefusedAtTheStartByItsLine(String line) throws IOException {
        Path file = Files.writeString(folder.resolve("keys"), "# one\n" + line + "\n");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> keys(file).close())
                .withMessageContaining("arc2face.security.api-keys-file")
                .withMessageContaining("line 2");
    }

    @Test
    void fileThatIsNotThereIsRefusedAtTheStart() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> keys(folder.resolve("absent")).close())
                .withMessageContaining("cannot be read");
    }

    @Test
    void tokenOfTheIssuerOpensWithTheRolesThatAreOurs() throws IOException {
        try (Authentication authentication = tokens(Map.of())) {
            await().ignoreExceptions()
                    .untilAsserted(
                            () -> assertThat(authentication.authenticate(bearer(ISSUER.token(claims -> {})), null))
                                    .isEqualTo(new Principal("token carol", Set.of(Role.GENERATE))));
        }
    }

    @Test
    void callerAndRolesAreWhereTheConfigurationSays() throws IOException {
        Map<String, String> settings = Map.of(
                "arc2face.security.jwt.caller-claim", "client_id",
                "arc2face.security.jwt.roles-claim", "realm_access/roles");
        String token = ISSUER.token(claims ->
                claims.claim("client_id", "studio").claim("realm_access", Map.of("roles", List.of("embed", "admin"))));
        try (Authentication authentication = tokens(settings)) {
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThat(authentication.authenticate(bearer(token), null))
                            .isEqualTo(new Principal("token studio", Set.of(Role.EMBED, Role.ADMIN))));
            assertRefused(authentication, bearer(ISSUER.token(claims -> {}))); // has no client_id
        }
    }

    @Test
    void scopesAreWordsOfOneClaim() throws IOException {
        String token = ISSUER.token(claims -> claims.claim("scope", "openid embed generate"));
        try (Authentication authentication = tokens(Map.of("arc2face.security.jwt.roles-claim", "scope"))) {
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThat(authentication
                                    .authenticate(bearer(token), null)
                                    .roles())
                            .containsExactlyInAnyOrder(Role.EMBED, Role.GENERATE));
        }
    }

    static Stream<String> badTokens() {
        return Stream.of(
                ISSUER.token(
                        claims -> claims.expirationTime(Date.from(Instant.now().minusSeconds(120)))),
                ISSUER.token(
                        claims -> claims.notBeforeTime(Date.from(Instant.now().plusSeconds(120)))),
                ISSUER.token(claims -> claims.expirationTime(null)),
                ISSUER.token(claims -> claims.audience("another-service")),
                ISSUER.token(claims -> claims.audience(List.of())),
                ISSUER.token(claims -> claims.issuer("https://another.example")),
                ISSUER.token(claims -> claims.subject(null)),
                Issuer.create("one").token(claims -> {}), // the right key's id, another key
                Issuer.create("two").token(claims -> {}),
                Issuer.unsigned(),
                ISSUER.signedWithThePublicKey(),
                ISSUER.token(claims -> {}) + "x",
                ISSUER.token(claims -> {}).replaceFirst("\\.[^.]*$", "."),
                "a.b.c",
                "");
    }

    @ParameterizedTest
    @MethodSource("badTokens")
    void tokenThatIsNotGoodOpensNothing(String token) throws IOException {
        try (Authentication authentication = tokens(Map.of())) {
            await().ignoreExceptions()
                    .untilAsserted(() -> authentication.authenticate(bearer(ISSUER.token(claims -> {})), null));
            assertRefused(authentication, bearer(token));
        }
    }

    @Test
    void keysComeFromWhereTheIssuerSaysAndNewOnesAreFound() throws IOException {
        Issuer later = Issuer.create("later");
        Map<String, String> pages = new ConcurrentHashMap<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String page = pages.get(exchange.getRequestURI().getPath());
            byte[] body = String.valueOf(page).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(page == null ? 404 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        String issuer = "http://127.0.0.1:" + server.getAddress().getPort();
        Map<String, String> settings = Map.of(
                "arc2face.security.jwt.issuer",
                issuer,
                "arc2face.security.jwt.audience",
                Issuer.AUDIENCE,
                "arc2face.security.jwt.refresh-interval",
                "PT0.05S");
        try (Authentication authentication = new Authentication(Configs.of(SecurityConfig.class, settings))) {
            Metadata token = bearer(ISSUER.token(claims -> claims.issuer(issuer)));
            assertThatThrownBy(() -> authentication.authenticate(token, null))
                    .isInstanceOfSatisfying(
                            FailureException.class,
                            failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.AUTHENTICATION_UNAVAILABLE));
        }
        pages.put("/keys", ISSUER.keys());
        pages.put(
                "/.well-known/openid-configuration",
                "{\"issuer\": \"" + issuer + "\", \"jwks_uri\": \"" + issuer + "/keys\"}");
        try (Authentication authentication = new Authentication(Configs.of(SecurityConfig.class, settings))) {
            Metadata token = bearer(ISSUER.token(claims -> claims.issuer(issuer)));
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThat(
                                    authentication.authenticate(token, null).name())
                            .isEqualTo("token carol"));
            Metadata next = bearer(later.token(claims -> claims.issuer(issuer)));
            assertRefused(authentication, next);
            pages.put("/keys", later.keys());
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThat(
                                    authentication.authenticate(next, null).name())
                            .isEqualTo("token carol"));
            assertRefused(authentication, token);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void keyDoesNotCountWithoutTheCertificateThatTheConnectionMustHave() throws IOException {
        String alices = ApiKeys.newKey();
        Path file = Files.writeString(folder.resolve("keys"), ApiKeys.line("alice", alices, Set.of(Role.EMBED)));
        Map<String, String> settings = new HashMap<>(Map.of(
                "arc2face.security.api-keys-file", file.toString(),
                "arc2face.security.tls.certificate", "server.pem",
                "arc2face.security.tls.key", "server.key",
                "arc2face.security.tls.client-ca", "ca.pem"));
        try (Authentication authentication = new Authentication(Configs.of(SecurityConfig.class, settings))) {
            assertThatThrownBy(() -> authentication.authenticate(key(alices), null))
                    .isInstanceOfSatisfying(FailureException.class, failure -> {
                        assertThat(failure.reason()).isEqualTo(ErrorReason.UNAUTHENTICATED);
                        assertThat(failure.message()).contains("no client certificate");
                    });
        }
        settings.put("arc2face.security.tls.require-client-certificate", "false");
        try (Authentication authentication = new Authentication(Configs.of(SecurityConfig.class, settings))) {
            assertThat(authentication.authenticate(key(alices), null).name()).isEqualTo("key alice");
        }
    }

    @Test
    void nobodyIsAskedWhereNothingIsConfigured() {
        try (Authentication authentication = new Authentication(Configs.of(SecurityConfig.class, Map.of()))) {
            assertThat(authentication.isOn()).isFalse();
        }
    }

    private static Authentication keys(Path file) {
        return new Authentication(Configs.of(
                SecurityConfig.class,
                Map.of(
                        "arc2face.security.api-keys-file",
                        file.toString(),
                        "arc2face.security.reload-interval",
                        "PT0.02S")));
    }

    private Authentication tokens(Map<String, String> more) throws IOException {
        Path keys = Files.writeString(folder.resolve("jwks.json"), ISSUER.keys());
        Map<String, String> settings = new HashMap<>(more);
        settings.put("arc2face.security.jwt.issuer", Issuer.NAME);
        settings.put("arc2face.security.jwt.audience", Issuer.AUDIENCE);
        settings.put("arc2face.security.jwt.jwks", keys.toString());
        return new Authentication(Configs.of(SecurityConfig.class, settings));
    }

    /** Always in the same words where there is a credential: they help nobody to guess. */
    private static void assertRefused(Authentication authentication, Metadata headers) {
        assertThatThrownBy(() -> authentication.authenticate(headers, null))
                .isInstanceOfSatisfying(FailureException.class, failure -> {
                    assertThat(failure.reason()).isEqualTo(ErrorReason.UNAUTHENTICATED);
                    assertThat(failure.message())
                            .containsAnyOf(
                                    "the credentials are not valid",
                                    "the call has no credentials",
                                    "more than one credential");
                });
    }
}
