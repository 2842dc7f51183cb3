package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** The service over HTTP and JSON. */
@ConfigMapping(prefix = "arc2face.rest")
public interface RestConfig {
    /** Whether {@code /v1} and {@code /openapi.json} answer. */
    @WithDefault("true")
    boolean enabled();

    /** How long a generation goes on before somebody listens to it, unless it was asked to go on without. */
    @WithDefault("PT30S")
    Duration listenerGrace();

    /** How long a stream of events is silent at most; then there is a comment, so that no proxy takes it for dead. */
    @WithDefault("PT15S")
    Duration heartbeat();

    /** Refuses values that make no sense. */
    static void check(RestConfig config) {
        Range.positive("arc2face.rest.listener-grace", config.listenerGrace());
        Range.positive("arc2face.rest.heartbeat", config.heartbeat());
    }
}
