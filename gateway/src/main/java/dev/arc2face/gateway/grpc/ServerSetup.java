package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.SecurityConfig;
import dev.arc2face.gateway.security.Authentication;
import dev.arc2face.gateway.security.ServerTls;
import dev.arc2face.gateway.trace.Tracing;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyServerBuilder;
import io.quarkus.grpc.api.ServerBuilderCustomizer;
import io.quarkus.grpc.runtime.GrpcServer;
import io.quarkus.grpc.runtime.config.GrpcConfiguration;
import io.quarkus.grpc.runtime.config.GrpcServerConfiguration;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.value.registry.ValueRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;
import io.vertx.grpc.VertxServerBuilder;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
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
    private final GoAway goAway;

    ServerSetup(
            LimitsConfig limits,
            SecurityConfig security,
            Meters meters,
            Tracing tracing,
            Vertx vertx,
            @ConfigProperty(name = "quarkus.grpc.server.host") String grpcHost,
            @ConfigProperty(name = "quarkus.http.host") String httpHost,
            @ConfigProperty(name = "quarkus.http.ssl.certificate.files") Optional<List<String>> httpCertificates,
            @ConfigProperty(name = "quarkus.http.insecure-requests", defaultValue = "enabled")
                    String insecureRequests) {
        this.limits = limits;
        this.security = security;
        this.authentication = new Authentication(security);
        this.tls = new ServerTls(security);
        this.goAway = new GoAway(((VertxInternal) vertx).getAcceptorEventLoopGroup());
        this.interceptors = List.of(
                new TraceInterceptor(tracing),
                new RecordInterceptor(meters),
                new ErrorInterceptor(new ErrorStatus(limits.retryAfter())),
                new AuthenticationInterceptor(authentication));
        check(Reach.of(
                "quarkus.grpc.server.host",
                grpcHost,
                "arc2face.security.tls",
                tls.context().isPresent()));
        check(Reach.of("quarkus.http.host", httpHost, "quarkus.http.ssl.certificate", httpCertificates.isPresent())
                .beside("quarkus.http.insecure-requests", !insecureRequests.equalsIgnoreCase("disabled")));
    }

    /** What every call passes, the first one first, by whatever transport it comes. */
    List<ServerInterceptor> interceptors() {
        return interceptors;
    }

    /** Whether it is there for whoever is at this machine: nobody is asked, and nobody else can reach it. */
    public boolean isForThisMachine() {
        return !authentication.isOn() && !security.allowAnonymous();
    }

    /** Comes when the gRPC server has been started: a process where that failed would otherwise go on without it. */
    void begin(@Observes StartupEvent starting, ValueRegistry started, GrpcConfiguration config) {
        if (!started.containsKey(GrpcServer.GRPC_PORT)) {
            throw new IllegalStateException(
                    "no gRPC server on %s:%d, for the reason above; quarkus.grpc.server.port sets another port"
                            .formatted(config.server().host(), config.server().port()));
        }
    }

    @Override
    public void customize(GrpcServerConfiguration config, VertxServerBuilder server) {
        // The last one is the first that a call meets.
        for (int i = interceptors.size() - 1; i >= 0; i--) {
            server.intercept(interceptors.get(i));
        }
        server.intercept(goAway);
        server.fallbackHandlerRegistry(new UnknownMethods());
        NettyServerBuilder netty = server.nettyBuilder();
        netty.maxRstFramesPerWindow(limits.maxResets(), RESET_WINDOW_SECONDS);
        tls.context().ifPresent(netty::sslContext);
    }

    /** Has clients make their next calls at another server; what they have begun here goes on. */
    void sendAway() {
        goAway.send();
    }

    private void check(Reach reach) {
        reach.check(authentication.isOn(), security.allowAnonymous());
        if (authentication.isOn()) {
            reach.warning().ifPresent(LOG::warn);
        }
    }

    @PreDestroy
    void close() {
        authentication.close();
        tls.close();
    }
}
