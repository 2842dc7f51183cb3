package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.Renewal;
import dev.arc2face.gateway.config.TritonConfig;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;

/** The gateway's side of TLS towards Triton. New connections get what the files hold then. */
final class TritonTls implements AutoCloseable {
    private static final Duration RELOAD = Duration.ofSeconds(10);

    private final Daemon thread = new Daemon("triton-certificates");
    private final ChannelCredentials credentials;

    /** @throws IllegalArgumentException where a file cannot be read or is none of what it should be */
    TritonTls(TritonConfig.Tls config) {
        credentials = config.ca().map(roots -> read(roots, config)).orElseGet(InsecureChannelCredentials::create);
    }

    ChannelCredentials credentials() {
        return credentials;
    }

    private ChannelCredentials read(Path roots, TritonConfig.Tls config) {
        try {
            AdvancedTlsX509TrustManager trusted =
                    AdvancedTlsX509TrustManager.newBuilder().build(); // the host's name counts, too
            Renewal.every(RELOAD, thread, () -> trusted.updateTrustCredentials(roots.toFile()));
            TlsChannelCredentials.Builder tls =
                    TlsChannelCredentials.newBuilder().trustManager(trusted);
            Optional<Path> certificate = config.certificate();
            Optional<Path> key = config.key();
            if (certificate.isPresent() && key.isPresent()) {
                AdvancedTlsX509KeyManager identity = new AdvancedTlsX509KeyManager();
                Renewal.every(
                        RELOAD,
                        thread,
                        () -> identity.updateIdentityCredentials(
                                certificate.get().toFile(), key.get().toFile()));
                tls.keyManager(identity);
            }
            return tls.build();
        } catch (IOException | GeneralSecurityException unusable) {
            throw new IllegalArgumentException(
                    "arc2face.triton.tls: the roots, the certificate or its key (PKCS#8) cannot be used: "
                            + unusable.getMessage(),
                    unusable);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
