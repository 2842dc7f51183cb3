package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Who may call, and how they are known. Nobody is asked where neither keys, tokens nor certificates are configured. */
@ConfigMapping(prefix = "arc2face.security")
public interface SecurityConfig {
    /** Lets the server listen where others can reach it without asking who they are. */
    @WithDefault("false")
    boolean allowAnonymous();

    /** API keys, one a line: name, sha256:HASH, roles separated by commas; read anew when the file changes. */
    Optional<Path> apiKeysFile();

    /** Roles of callers who are known by their client certificate. */
    @WithDefault("generate,embed")
    List<String> certificateRoles();

    /** How often files are looked at for a change. */
    @WithDefault("PT10S")
    Duration reloadInterval();

    Tls tls();

    Jwt jwt();

    /** Encryption of the gRPC port. */
    interface Tls {
        /** The server's certificate and those between it and the root, PEM; read anew when the file changes. */
        Optional<Path> certificate();

        /** The private key of that certificate, PKCS#8 PEM. */
        Optional<Path> key();

        /** The roots that clients' certificates must come from, PEM: mutual TLS. */
        Optional<Path> clientCa();

        /** Whether a client without a certificate is turned away at every port; otherwise it needs a key or a token. */
        @WithDefault("true")
        boolean requireClientCertificate();
    }

    /** Bearer tokens of an OpenID Connect provider, signed by RSA or elliptic curves. */
    interface Jwt {
        /** Who issues them: the claim {@code iss}, exactly. */
        Optional<String> issuer();

        /** Whom they are for: one of the claim {@code aud}. */
        Optional<String> audience();

        /** The issuer's keys (JWKS): a file or an https address; otherwise where the issuer's discovery document says. */
        Optional<String> jwks();

        /** The claim with the caller's name. */
        @WithDefault("sub")
        String callerClaim();

        /** The claim with the roles, a list or words separated by blanks; a path has slashes: realm_access/roles. */
        @WithDefault("roles")
        String rolesClaim();

        /** How often the keys are read anew; at most that often because of a token with an unknown key. */
        @WithDefault("PT5M")
        Duration refreshInterval();

        /** How far the clocks of the issuer and of this machine may be apart. */
        @WithDefault("PT30S")
        Duration clockSkew();
    }

    /** Refuses what makes no sense together. */
    static void check(SecurityConfig config) {
        Range.positive("arc2face.security.reload-interval", config.reloadInterval());
        Tls tls = config.tls();
        if (tls.certificate().isPresent() != tls.key().isPresent()) {
            throw new IllegalArgumentException(
                    "arc2face.security.tls.certificate and arc2face.security.tls.key go together");
        }
        if (tls.clientCa().isPresent() && tls.certificate().isEmpty()) {
            throw new IllegalArgumentException(
                    "arc2face.security.tls.client-ca needs arc2face.security.tls.certificate and .key");
        }
        Jwt jwt = config.jwt();
        if (jwt.issuer().isPresent() != jwt.audience().isPresent()) {
            throw new IllegalArgumentException(
                    "arc2face.security.jwt.issuer and arc2face.security.jwt.audience go together: a token for another"
                            + " service must not open this one");
        }
        if (jwt.jwks().isPresent() && jwt.issuer().isEmpty()) {
            throw new IllegalArgumentException("arc2face.security.jwt.jwks needs arc2face.security.jwt.issuer");
        }
        Range.positive("arc2face.security.jwt.refresh-interval", jwt.refreshInterval());
        Range.notNegative("arc2face.security.jwt.clock-skew", jwt.clockSkew());
    }
}
