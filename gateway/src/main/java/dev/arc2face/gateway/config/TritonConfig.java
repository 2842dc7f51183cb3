package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;

/** Where the model server is, and how long it is waited for. */
@ConfigMapping(prefix = "arc2face.triton")
public interface TritonConfig {
    /**
     * The gRPC addresses of Triton and its replicas, separated by commas: host:port each, or another target that gRPC
     * knows.
     */
    @WithDefault("127.0.0.1:8001")
    List<String> targets();

    /** The longest that one model call may take, waiting in Triton's queue included. */
    @WithDefault("PT2M")
    Duration callTimeout();

    /** How often it is checked that Triton is ready and serves the same models. */
    @WithDefault("PT1S")
    Duration pollInterval();

    /** The longest that Triton may take to answer such a check. */
    @WithDefault("PT5S")
    Duration pollTimeout();
}
