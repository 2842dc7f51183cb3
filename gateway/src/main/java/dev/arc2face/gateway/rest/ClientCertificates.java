package dev.arc2face.gateway.rest;

import dev.arc2face.gateway.config.SecurityConfig;
import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemTrustOptions;
import jakarta.inject.Singleton;

/**
 * Has the HTTPS port ask for client certificates where gRPC's asks, for those of the same roots: no other ones may tell
 * who calls. (The roots are read once; a change needs a restart.)
 */
@Singleton
final class ClientCertificates implements HttpServerOptionsCustomizer {
    private final SecurityConfig.Tls tls;

    ClientCertificates(SecurityConfig security) {
        this.tls = security.tls();
    }

    @Override
    public void customizeHttpsServer(HttpServerOptions options) {
        tls.clientCa()
                .ifPresent(roots -> options.setTrustOptions(new PemTrustOptions().addCertPath(roots.toString()))
                        .setClientAuth(tls.requireClientCertificate() ? ClientAuth.REQUIRED : ClientAuth.REQUEST));
    }
}
