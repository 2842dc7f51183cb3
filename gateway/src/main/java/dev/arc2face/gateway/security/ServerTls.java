package dev.arc2face.gateway.security;

import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.Renewal;
import dev.arc2face.gateway.config.SecurityConfig;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;

/** The server's side of TLS. New connections get what the files hold then: a certificate is renewed without a restart. */
public final class ServerTls implements AutoCloseable {
    private final ScheduledThreadPoolExecutor thread =
            new ScheduledThreadPoolExecutor(1, new DaemonThreads("certificates"));
    private final Optional<SslContext> context;

    /** @throws IllegalArgumentException where a file cannot be read or is none of what it should be */
    public ServerTls(SecurityConfig config) {
        SecurityConfig.Tls tls = config.tls();
        context = tls.certificate().flatMap(certificate -> tls.key().map(key -> open(config, certificate, key)));
    }

    /** What the server's connections are encrypted with, if they are. */
    public Optional<SslContext> context() {
        return context;
    }

    private SslContext open(SecurityConfig config, Path certificate, Path key) {
        try {
            AdvancedTlsX509KeyManager identity = new AdvancedTlsX509KeyManager();
            Renewal.every(
                    config.reloadInterval(),
                    thread,
                    () -> identity.updateIdentityCredentials(certificate.toFile(), key.toFile()));
            SslContextBuilder builder =
                    GrpcSslContexts.configure(SslContextBuilder.forServer(identity), SslProvider.JDK);
            Optional<Path> roots = config.tls().clientCa();
            if (roots.isPresent()) {
                AdvancedTlsX509TrustManager trusted = AdvancedTlsX509TrustManager.newBuilder()
                        .setVerification(Verification.CERTIFICATE_ONLY_VERIFICATION) // a client has no host name
                        .build();
                Renewal.every(
                        config.reloadInterval(),
                        thread,
                        () -> trusted.updateTrustCredentials(roots.get().toFile()));
                builder.trustManager(trusted)
                        .clientAuth(config.tls().requireClientCertificate() ? ClientAuth.REQUIRE : ClientAuth.OPTIONAL);
            }
            return builder.build();
        } catch (IOException | GeneralSecurityException unusable) {
            throw new IllegalArgumentException(
                    "arc2face.security.tls: the certificate, its key (PKCS#8) or the clients' roots cannot be used: "
                            + unusable.getMessage(),
                    unusable);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
