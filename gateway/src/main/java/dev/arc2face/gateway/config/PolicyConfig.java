package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/** The operator's own check before each generation. */
@ConfigMapping(prefix = "arc2face.policy")
public interface PolicyConfig {
    /** Where it is asked, by HTTP POST (docs/responsible-use.md); otherwise everything is allowed. */
    Optional<URI> url();

    /** The longest that it may take to answer. */
    @WithDefault("PT2S")
    Duration timeout();

    /** Whether a generation is allowed where the policy cannot be asked; otherwise it fails with POLICY_UNAVAILABLE. */
    @WithDefault("false")
    boolean allowOnFailure();

    /** Refuses values that make no sense. */
    static void check(PolicyConfig config) {
        Range.positive("arc2face.policy.timeout", config.timeout());
        config.url().ifPresent(url -> {
            if (url.getHost() == null || !("http".equals(url.getScheme()) || "https".equals(url.getScheme()))) {
                throw new IllegalArgumentException("arc2face.policy.url must be an http or https address, not " + url);
            }
        });
    }
}
