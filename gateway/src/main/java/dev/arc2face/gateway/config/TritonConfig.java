package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Where the model server is, and how long it is waited for. */
@ConfigMapping(prefix = "arc2face.triton")
public interface TritonConfig {
    /**
     * The gRPC addresses of Triton and its replicas, separated by commas: host:port each, where a name stands for as many
     * replicas as it has addresses; or another target that gRPC knows.
     */
    @WithDefault("127.0.0.1:8001")
    List<String> targets();

    /** How often names are looked up anew. (The JVM keeps answers for 30 s, unless -Dsun.net.inetaddr.ttl says otherwise.) */
    @WithDefault("PT10S")
    Duration resolveInterval();

    /** The longest that one model call may take, waiting in Triton's queue and all attempts included. */
    @WithDefault("PT2M")
    Duration callTimeout();

    /** Attempts at one model call, each at another replica where there is one. */
    @WithDefault("5")
    int attempts();

    /**
     * The least time after which another replica is asked; more where calls of the model take more than a fraction of
     * it. Where there is no other replica, an attempt is never given up early.
     */
    @WithDefault("PT1S")
    Duration leastAttemptTimeout();

    /** How long a model call waits for a replica while none is there: a restart of the only one fails nothing. */
    @WithDefault("PT10S")
    Duration patience();

    /** How often it is checked that Triton is ready and serves the same models. */
    @WithDefault("PT1S")
    Duration pollInterval();

    /** The longest that Triton may take to answer such a check. */
    @WithDefault("PT5S")
    Duration pollTimeout();

    Tls tls();

    /** Encryption of the connections to Triton; none without roots. */
    interface Tls {
        /** The roots that Triton's certificate must come from, PEM. Files are read anew when they change. */
        Optional<Path> ca();

        /** The gateway's own certificate and those between it and the root, PEM: mutual TLS. */
        Optional<Path> certificate();

        /** The private key of that certificate, PKCS#8 PEM. */
        Optional<Path> key();
    }

    /** Refuses values that make no sense. */
    static void check(TritonConfig config) {
        if (config.tls().certificate().isPresent() != config.tls().key().isPresent()
                || (config.tls().certificate().isPresent() && config.tls().ca().isEmpty())) {
            throw new IllegalArgumentException(
                    "arc2face.triton.tls.certificate and .key go together, and with arc2face.triton.tls.ca");
        }
        Range.positive("arc2face.triton.resolve-interval", config.resolveInterval());
        Range.positive("arc2face.triton.call-timeout", config.callTimeout());
        Range.check("arc2face.triton.attempts", config.attempts(), 1, 16);
        Range.positive("arc2face.triton.least-attempt-timeout", config.leastAttemptTimeout());
        Range.notNegative("arc2face.triton.patience", config.patience());
        Range.positive("arc2face.triton.poll-interval", config.pollInterval());
        Range.positive("arc2face.triton.poll-timeout", config.pollTimeout());
    }
}
