package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** The generation that must pass before freshly read models serve calls. */
@ConfigMapping(prefix = "arc2face.readiness")
public interface ReadinessConfig {
    /** How long the warm-up generation of a variant may take. */
    @WithDefault("PT2M")
    Duration warmUpTimeout();

    /** How long after a failed warm-up the next one starts. */
    @WithDefault("PT5S")
    Duration warmUpRetry();

    /** Refuses times that are none. */
    static void check(ReadinessConfig config) {
        Range.positive("arc2face.readiness.warm-up-timeout", config.warmUpTimeout());
        Range.positive("arc2face.readiness.warm-up-retry", config.warmUpRetry());
    }
}
