package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.config.TritonConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Map;

/** Configuration as the gateway reads it, without the gateway. */
final class TestConfig {
    private TestConfig() {}

    /** The defaults, and where Triton is. */
    static TritonConfig triton(String target) {
        return triton(target, Map.of());
    }

    /** The same with some keys, without their prefix, set. */
    static TritonConfig triton(String target, Map<String, String> keys) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().withMapping(TritonConfig.class);
        builder.withDefaultValue("arc2face.triton.targets", target);
        keys.forEach((key, value) -> builder.withDefaultValue("arc2face.triton." + key, value));
        return builder.build().getConfigMapping(TritonConfig.class);
    }
}
