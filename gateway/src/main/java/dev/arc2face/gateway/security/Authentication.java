package dev.arc2face.gateway.security;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.SecurityConfig;
import io.grpc.Metadata;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who calls: by the API key in {@code x-api-key}, by the token in {@code authorization: Bearer}, or by the
 * client's certificate, whichever are configured. Credentials in a call's metadata count more than the certificate of its
 * connection, which may be a proxy's; where the connection must have one they do not count without it, by whatever port they
 * come.
 */
public final class Authentication implements AutoCloseable {
    private static final Metadata.Key<String> API_KEY = Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final String BEARER = "bearer ";
    private static final String CERTIFICATE_PREFIX = "certificate ";
    private static final int SUBJECT_ALTERNATIVE_URI = 6; // RFC 5280, GeneralName

    private final ScheduledThreadPoolExecutor thread =
            new ScheduledThreadPoolExecutor(1, new DaemonThreads("security"));
    private final @Nullable WatchedFile<ApiKeys> apiKeys;
    private final @Nullable JsonWebTokens tokens;
    private final boolean certificates;
    private final boolean certificateRequired;
    private final Set<Role> certificateRoles;

    /**
     * Reads what there is to read, and goes on looking for changes.
     *
     * @throws IllegalArgumentException where the configuration, or a file that it names, is wrong
     */
    public Authentication(SecurityConfig config) {
        SecurityConfig.check(config);
        certificateRoles = Role.parse(config.certificateRoles());
        certificates = config.tls().clientCa().isPresent();
        certificateRequired = certificates && config.tls().requireClientCertificate();
        apiKeys = config.apiKeysFile()
                .map(file -> new WatchedFile<>("arc2face.security.api-keys-file", file, ApiKeys::parse))
                .orElse(null);
        if (apiKeys != null) {
            long nanos = config.reloadInterval().toNanos();
            var unused = thread.scheduleWithFixedDelay(apiKeys::look, nanos, nanos, NANOSECONDS);
        }
        SecurityConfig.Jwt jwt = config.jwt();
        if (jwt.issuer().isPresent() && jwt.audience().isPresent()) {
            TokenKeys keys = new TokenKeys(jwt.issuer().get(), jwt, thread, System::nanoTime);
            keys.watch();
            tokens = new JsonWebTokens(jwt, jwt.issuer().get(), jwt.audience().get(), keys);
        } else {
            tokens = null;
        }
    }

    /** Whether anybody is asked. */
    public boolean isOn() {
        return apiKeys != null || tokens != null || certificates;
    }

    /**
     * Who calls.
     *
     * @param session of the connection, if it is encrypted
     * @throws FailureException UNAUTHENTICATED, without a word about why credentials do not count;
     *     AUTHENTICATION_UNAVAILABLE
     */
    public Principal authenticate(Metadata headers, @Nullable SSLSession session) {
        if (certificateRequired && certificate(session).isEmpty()) {
            throw unauthenticated("the connection has no client certificate; use the encrypted port with one");
        }
        List<String> keys = all(headers, API_KEY);
        List<String> authorizations = all(headers, AUTHORIZATION);
        if (keys.size() + authorizations.size() > 1) {
            throw unauthenticated("the call has more than one credential; send one");
        }
        if (!keys.isEmpty()) {
            return byKey(keys.get(0)).orElseThrow(() -> unauthenticated("the credentials are not valid"));
        }
        if (!authorizations.isEmpty()) {
            return byToken(authorizations.get(0)).orElseThrow(() -> unauthenticated("the credentials are not valid"));
        }
        return byCertificate(session)
                .orElseThrow(() -> unauthenticated("the call has no credentials; send " + wanted()));
    }

    private Optional<Principal> byKey(String key) {
        return apiKeys == null ? Optional.empty() : apiKeys.get().find(key);
    }

    private Optional<Principal> byToken(String authorization) {
        if (tokens == null || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return Optional.empty();
        }
        if (!tokens.canTell()) {
            throw FailureException.of(
                    ErrorReason.AUTHENTICATION_UNAVAILABLE, "the issuer's keys have not been read yet; try again");
        }
        return tokens.verify(authorization.substring(BEARER.length()).strip());
    }

    private Optional<Principal> byCertificate(@Nullable SSLSession session) {
        return certificates
                ? certificate(session)
                        .map(certificate -> new Principal(CERTIFICATE_PREFIX + name(certificate), certificateRoles))
                : Optional.empty();
    }

    private static Optional<X509Certificate> certificate(@Nullable SSLSession session) {
        if (session == null) {
            return Optional.empty();
        }
        try {
            Certificate[] chain = session.getPeerCertificates(); // the server has checked it
            return chain.length > 0 && chain[0] instanceof X509Certificate certificate
                    ? Optional.of(certificate)
                    : Optional.empty();
        } catch (SSLPeerUnverifiedException none) {
            return Optional.empty();
        }
    }

    /** The first URI (a SPIFFE id, for example), otherwise the subject. */
    private static String name(X509Certificate certificate) {
        try {
            Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
            if (alternatives != null) {
                for (List<?> alternative : alternatives) {
                    if (alternative.get(0).equals(SUBJECT_ALTERNATIVE_URI)) {
                        return String.valueOf(alternative.get(1));
                    }
                }
            }
        } catch (CertificateParsingException none) {
            // then by its subject
        }
        return certificate.getSubjectX500Principal().getName();
    }

    private String wanted() {
        String key = apiKeys == null ? "" : "an API key in x-api-key";
        String token = tokens == null ? "" : "a token in authorization: Bearer";
        String certificate = certificates ? "a client certificate" : "";
        return Stream.of(key, token, certificate)
                .filter(kind -> !kind.isEmpty())
                .collect(Collectors.joining(" or "));
    }

    private static List<String> all(Metadata headers, Metadata.Key<String> key) {
        Iterable<String> values = headers.getAll(key);
        if (values == null) {
            return List.of();
        }
        return StreamSupport.stream(values.spliterator(), false).toList();
    }

    private static FailureException unauthenticated(String why) {
        return FailureException.of(ErrorReason.UNAUTHENTICATED, why);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
