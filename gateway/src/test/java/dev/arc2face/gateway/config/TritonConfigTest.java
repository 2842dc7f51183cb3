package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.file.Path;
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
        assertThat(config.tls().ca()).isEmpty();
        assertThat(config.tls().certificate()).isEmpty();
        assertThat(config.tls().key()).isEmpty();
    }

    @Test
    void everyKeyIsRead() {
        TritonConfig config = read(Map.ofEntries(
                Map.entry("arc2face.triton.targets", "triton-0:8001,triton-1:8001"),
                Map.entry("arc2face.triton.resolve-interval", "PT20S"),
                Map.entry("arc2face.triton.call-timeout", "PT30S"),
                Map.entry("arc2face.triton.attempts", "2"),
                Map.entry("arc2face.triton.least-attempt-timeout", "PT0.2S"),
                Map.entry("arc2face.triton.patience", "PT0S"),
                Map.entry("arc2face.triton.poll-interval", "PT0.5S"),
                Map.entry("arc2face.triton.poll-timeout", "PT3S"),
                Map.entry("arc2face.triton.tls.ca", "ca.pem"),
                Map.entry("arc2face.triton.tls.certificate", "gateway.pem"),
                Map.entry("arc2face.triton.tls.key", "gateway.key")));

        assertThat(config.targets()).containsExactly("triton-0:8001", "triton-1:8001");
        assertThat(config.callTimeout()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.resolveInterval()).isEqualTo(Duration.ofSeconds(20));
        assertThat(config.attempts()).isEqualTo(2);
        assertThat(config.leastAttemptTimeout()).isEqualTo(Duration.ofMillis(200));
        assertThat(config.patience()).isEqualTo(Duration.ZERO);
        assertThat(config.pollInterval()).isEqualTo(Duration.ofMillis(500));
        assertThat(config.pollTimeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(config.tls().ca()).contains(Path.of("ca.pem"));
        assertThat(config.tls().certificate()).contains(Path.of("gateway.pem"));
        assertThat(config.tls().key()).contains(Path.of("gateway.key"));
    }

    private static TritonConfig read(Map<String, String> keys) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().withMapping(TritonConfig.class);
        keys.forEach(builder::withDefaultValue);
        return builder.build().getConfigMapping(TritonConfig.class);
    }
}
