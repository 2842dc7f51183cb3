package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TritonConfigTest {
    @Test
    void defaults() {
        TritonConfig config = read(Map.of());

        assertThat(config.targets()).containsExactly("127.0.0.1:8001");
        assertThat(config.callTimeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.resolveInterval()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.attempts()).isEqualTo(5);
        assertThat(config.leastAttemptTimeout()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.patience()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.pollInterval()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.pollTimeout()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void everyKeyIsRead() {
        TritonConfig config = read(Map.of(
                "arc2face.triton.targets", "triton-0:8001,triton-1:8001",
                "arc2face.triton.resolve-interval", "PT20S",
                "arc2face.triton.call-timeout", "PT30S",
                "arc2face.triton.attempts", "2",
                "arc2face.triton.least-attempt-timeout", "PT0.2S",
                "arc2face.triton.patience", "PT0S",
                "arc2face.triton.poll-interval", "PT0.5S",
                "arc2face.triton.poll-timeout", "PT3S"));

        assertThat(config.targets()).containsExactly("triton-0:8001", "triton-1:8001");
        assertThat(config.callTimeout()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.resolveInterval()).isEqualTo(Duration.ofSeconds(20));
        assertThat(config.attempts()).isEqualTo(2);
        assertThat(config.leastAttemptTimeout()).isEqualTo(Duration.ofMillis(200));
        assertThat(config.patience()).isEqualTo(Duration.ZERO);
        assertThat(config.pollInterval()).isEqualTo(Duration.ofMillis(500));
        assertThat(config.pollTimeout()).isEqualTo(Duration.ofSeconds(3));
    }

    private static TritonConfig read(Map<String, String> keys) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().withMapping(TritonConfig.class);
        keys.forEach(builder::withDefaultValue);
        return builder.build().getConfigMapping(TritonConfig.class);
    }
}
