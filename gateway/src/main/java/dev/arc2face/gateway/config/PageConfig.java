package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** The page for people, on the HTTP port. */
@ConfigMapping(prefix = "arc2face.page")
public interface PageConfig {
    /** Whether / answers. */
    @WithDefault("true")
    boolean enabled();
}
