package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SecurityConfigTest {
    @Test
    void nobodyIsAskedByDefault() {
        SecurityConfig config = Configs.of(SecurityConfig.class, Map.of());
        SecurityConfig.check(config);
        assertThat(config.allowAnonymous()).isFalse();
        assertThat(config.apiKeysFile()).isEmpty();
        assertThat(config.certificateRoles()).containsExactly("generate", "embed");
        assertThat(config.reloadInterval()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.tls().certificate()).isEmpty();
        assertThat(config.tls().key()).isEmpty();
        assertThat(config.tls().clientCa()).isEmpty();
        assertThat(config.tls().requireClientCertificate()).isTrue();
        assertThat(config.jwt().issuer()).isEmpty();
        assertThat(config.jwt().audience()).isEmpty();
        assertThat(config.jwt().jwks()).isEmpty();
        assertThat(config.jwt().callerClaim()).isEqualTo("sub");
        assertThat(config.jwt().rolesClaim()).isEqualTo("roles");
        assertThat(config.jwt().refreshInterval()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.jwt().clockSkew()).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void everyKeyIsRead() {
        SecurityConfig config = Configs.of(
                SecurityConfig.class,
                Map.ofEntries(
                        Map.entry("arc2face.security.allow-anonymous", "true"),
                        Map.entry("arc2face.security.api-keys-file", "keys"),
                        Map.entry("arc2face.security.certificate-roles", "admin"),
                        Map.entry("arc2face.security.reload-interval", "1s"),
                        Map.entry("arc2face.security.tls.certificate", "server.pem"),
                        Map.entry("arc2face.security.tls.key", "server.key"),
                        Map.entry("arc2face.security.tls.client-ca", "ca.pem"),
                        Map.entry("arc2face.security.tls.require-client-certificate", "false"),
                        Map.entry("arc2face.security.jwt.issuer", "https://issuer.example"),
                        Map.entry("arc2face.security.jwt.audience", "arc2face"),
                        Map.entry("arc2face.security.jwt.jwks", "jwks.json"),
                        Map.entry("arc2face.security.jwt.caller-claim", "client_id"),
                        Map.entry("arc2face.security.jwt.roles-claim", "scope"),
                        Map.entry("arc2face.security.jwt.refresh-interval", "1m"),
                        Map.entry("arc2face.security.jwt.clock-skew", "5s")));
        SecurityConfig.check(config);
        assertThat(config.allowAnonymous()).isTrue();
        assertThat(config.apiKeysFile()).contains(Path.of("keys"));
        assertThat(config.certificateRoles()).containsExactly("admin");
        assertThat(config.reloadInterval()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.tls().certificate()).contains(Path.of("server.pem"));
        assertThat(config.tls().key()).contains(Path.of("server.key"));
        assertThat(config.tls().clientCa()).contains(Path.of("ca.pem"));
        assertThat(config.tls().requireClientCertificate()).isFalse();
        assertThat(config.jwt().issuer()).contains("https://issuer.example");
        assertThat(config.jwt().audience()).contains("arc2face");
        assertThat(config.jwt().jwks()).contains("jwks.json");
        assertThat(config.jwt().callerClaim()).isEqualTo("client_id");
        assertThat(config.jwt().rolesClaim()).isEqualTo("scope");
        assertThat(config.jwt().refreshInterval()).isEqualTo(Duration.ofMinutes(1));
        assertThat(config.jwt().clockSkew()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void whatMakesNoSenseTogetherIsRefusedByKey() {
        refused(Map.of("arc2face.security.tls.certificate", "server.pem"), "arc2face.security.tls.key");
        refused(Map.of("arc2face.security.tls.client-ca", "ca.pem"), "arc2face.security.tls.certificate");
        refused(Map.of("arc2face.security.jwt.issuer", "https://x.example"), "arc2face.security.jwt.audience");
        refused(Map.of("arc2face.security.jwt.jwks", "jwks.json"), "arc2face.security.jwt.issuer");
    }

    private static void refused(Map<String, String> settings, String key) {
        SecurityConfig config = Configs.of(SecurityConfig.class, settings);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SecurityConfig.check(config))
                .withMessageContaining(key);
    }
}
