package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Metrics for Prometheus, on the management port. */
@ConfigMapping(prefix = "arc2face.metrics")
public interface MetricsConfig {
    /** Whether /q/metrics answers. */
    @WithDefault("true")
    boolean enabled();
}
