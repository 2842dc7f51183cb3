package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.SecurityConfig;
import dev.arc2face.gateway.security.Authentication;
import dev.arc2face.gateway.security.ServerTls;
import dev.arc2face.gateway.trace.Tracing;
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
    private final Meters meters;
    private final Tracing tracing;
    private final Authentication authentication;
    private final ServerTls tls;

    ServerSetup(
            LimitsConfig limits,
            SecurityConfig security,
            Meters meters,
            Tracing tracing,
            @ConfigProperty(name = "quarkus.grpc.server.host") String host) {
        this.limits = limits;
        this.security = security;
        this.meters = meters;
        this.tracing = tracing;
        this.authentication = new Authentication(security);
        this.tls = new ServerTls(security);
        checkReach(host);
    }

    /** Makes this before all else: a process whose gRPC server cannot start would otherwise go on without it. */
    void begin(@Observes StartupEvent starting) {
        LOG.debug("the gRPC server's configuration makes sense");
    }

    @Override
    public void customize(GrpcServerConfiguration config, VertxServerBuilder server) {
        // The last one is the first that a call meets.
        server.intercept(new AuthenticationInterceptor(authentication));
        server.intercept(new ErrorInterceptor(new ErrorStatus(limits.retryAfter())));
        server.intercept(new RecordInterceptor(meters));
        server.intercept(new TraceInterceptor(tracing));
        server.fallbackHandlerRegistry(new UnknownMethods());
        NettyServerBuilder netty = server.nettyBuilder();
        netty.maxRstFramesPerWindow(limits.maxResets(), RESET_WINDOW_SECONDS);
        tls.context().ifPresent(netty::sslContext);
    }

    /** Nobody else may reach a server that asks nobody, unless its operator says so. */
    private void checkReach(String host) {
        if (isLoopback(host)) {
            return;
        }
        if (!authentication.isOn() && !security.allowAnonymous()) {
            throw new IllegalArgumentException("quarkus.grpc.server.host is " + host + ", where others can reach the"
                    + " server, and nobody is asked who they are: configure arc2face.security.api-keys-file,"
                    + " arc2face.security.jwt.issuer or arc2face.security.tls.client-ca, or let everybody in by"
                    + " arc2face.security.allow-anonymous=true");
        }
        if (authentication.isOn() && tls.context().isEmpty()) {
            LOG.warn(
                    "credentials come in the clear: configure arc2face.security.tls, unless a proxy or a mesh encrypts");
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
