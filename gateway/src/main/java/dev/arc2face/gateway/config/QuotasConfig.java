package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** What one caller may use; 0 is as much as there is. A caller is a principal or, where nobody is asked, an IP address. */
@ConfigMapping(prefix = "arc2face.quotas")
public interface QuotasConfig {
    /** Generations of a caller that run and wait together. */
    @WithDefault("0")
    int generationsPerCaller();

    /** Unary calls (detect, embed, compare) of a caller that run and wait together. */
    @WithDefault("0")
    int unaryCallsPerCaller();

    /**
     * Denoising steps of a caller in a minute, a step of two portraits counted twice. What was not used is there for a
     * minute; a request for more than that needs all of it.
     */
    @WithDefault("0")
    int imageStepsPerMinute();

    /** Refuses values that make no sense. */
    static void check(QuotasConfig config) {
        Range.check("arc2face.quotas.generations-per-caller", config.generationsPerCaller(), 0, 1 << 20);
        Range.check("arc2face.quotas.unary-calls-per-caller", config.unaryCallsPerCaller(), 0, 1 << 20);
        Range.check("arc2face.quotas.image-steps-per-minute", config.imageStepsPerMinute(), 0, 1 << 30);
    }
}
