package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.SecurityConfig;
import dev.arc2face.gateway.security.Authentication;
import dev.arc2face.gateway.security.ServerTls;
import dev.arc2face.gateway.trace.Tracing;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyServerBuilder;
import io.quarkus.grpc.api.ServerBuilderCustomizer;
import io.quarkus.grpc.runtime.config.GrpcServerConfiguration;
import io.quarkus.runtime.StartupEvent;
import io.vertx.grpc.VertxServerBuilder;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** What holds for every call to the server, its health and reflection services and unknown methods too. */
@Singleton
public final class ServerSetup implements ServerBuilderCustomizer<VertxServerBuilder> {
    private static final Logger LOG = Logger.getLogger(ServerSetup.class);

    /** For how long the streams that a connection resets are counted. */
    private static final int RESET_WINDOW_SECONDS = 10;

    private final LimitsConfig limits;
    private final SecurityConfig security;
    private final Authentication authentication;
    private final ServerTls tls;
    private final List<ServerInterceptor> interceptors;

    ServerSetup(
            LimitsConfig limits,
            SecurityConfig security,
            Meters meters,
            Tracing tracing,
            @ConfigProperty(name = "quarkus.grpc.server.host") String grpcHost,
            @ConfigProperty(name = "quarkus.http.host") String httpHost,
            @ConfigProperty(name = "quarkus.http.ssl.certificate.files") Optional<List<String>> httpCertificates) {
        this.limits = limits;
        this.security = security;
        this.authentication = new Authentication(security);
        this.tls = new ServerTls(security);
        this.interceptors = List.of(
                new TraceInterceptor(tracing),
                new RecordInterceptor(meters),
                new ErrorInterceptor(new ErrorStatus(limits.retryAfter())),
                new AuthenticationInterceptor(authentication));
        checkReach(
                "quarkus.grpc.server.host",
                grpcHost,
                "arc2face.security.tls",
                tls.context().isPresent());
        checkReach("quarkus.http.host", httpHost, "quarkus.http.ssl.certificate", httpCertificates.isPresent());
    }

    /** What every call passes, the first one first, by whatever transport it comes. */
    List<ServerInterceptor> interceptors() {
        return interceptors;
    }

    /** Whether it is there for whoever is at this machine: nobody is asked, and nobody else can reach it. */
    public boolean isForThisMachine() {
        return !authentication.isOn() && !security.allowAnonymous();
    }

    /** Makes this before all else: a process whose gRPC server cannot start would otherwise go on without it. */
    void begin(@Observes StartupEvent starting) {
        LOG.debug("the gRPC server's configuration makes sense");
    }

    @Override
    public void customize(GrpcServerConfiguration config, VertxServerBuilder server) {
        // The last one is the first that a call meets.
        for (int i = interceptors.size() - 1; i >= 0; i--) {
            server.intercept(interceptors.get(i));
        }
        server.fallbackHandlerRegistry(new UnknownMethods());
        NettyServerBuilder netty = server.nettyBuilder();
        netty.maxRstFramesPerWindow(limits.maxResets(), RESET_WINDOW_SECONDS);
        tls.context().ifPresent(netty::sslContext);
    }

    /** Nobody else may reach a server that asks nobody, unless its operator says so. */
    private void checkReach(String key, String host, String tlsKey, boolean encrypted) {
        if (isLoopback(host)) {
            return;
        }
        if (!authentication.isOn() && !security.allowAnonymous()) {
            throw new IllegalArgumentException(key + " is " + host + ", where others can reach the"
                    + " server, and nobody is asked who they are: configure arc2face.security.api-keys-file,"
                    + " arc2face.security.jwt.issuer or arc2face.security.tls.client-ca, or let everybody in by"
                    + " arc2face.security.allow-anonymous=true");
        }
        if (authentication.isOn() && !encrypted) {
            LOG.warnf(
                    "credentials come in the clear at %s: configure %s, unless a proxy or a mesh encrypts",
                    host, tlsKey);
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    @PreDestroy
    void close() {
        authentication.close();
        tls.close();
    }
}
