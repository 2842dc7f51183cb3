package dev.arc2face.gateway.config;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** What is held, in memory, for callers who asked that their generation goes on without them. */
@ConfigMapping(prefix = "arc2face.resume")
public interface ResumeConfig {
    /** For how long a result is held. */
    @WithDefault("PT5M")
    Duration holdTime();

    /** What a caller's results may take; the oldest go first, and a larger one is not held at all. */
    @WithDefault("64M")
    MemorySize maxBytesPerCaller();

    /** What all results together may take. */
    @WithDefault("256M")
    MemorySize maxBytes();

    /** Refuses values that make no sense. */
    static void check(ResumeConfig config) {
        Range.notNegative("arc2face.resume.hold-time", config.holdTime());
        Range.check(
                "arc2face.resume.max-bytes-per-caller",
                config.maxBytesPerCaller().asLongValue(),
                0,
                Long.MAX_VALUE);
        Range.check("arc2face.resume.max-bytes", config.maxBytes().asLongValue(), 0, Long.MAX_VALUE);
    }
}
