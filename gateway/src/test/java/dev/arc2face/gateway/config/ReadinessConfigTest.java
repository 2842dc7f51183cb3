package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReadinessConfigTest {
    @Test
    void defaults() {
        ReadinessConfig config = Configs.of(ReadinessConfig.class, Map.of());
        ReadinessConfig.check(config);
        assertThat(config.warmUpTimeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.warmUpRetry()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void explicitMapping() {
        ReadinessConfig config = Configs.of(
                ReadinessConfig.class,
                Map.of(
                        "arc2face.readiness.warm-up-timeout", "10s",
                        "arc2face.readiness.warm-up-retry", "1s"));
        ReadinessConfig.check(config);
        assertThat(config.warmUpTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.warmUpRetry()).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void timesThatAreNoneAreRefusedByKey() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReadinessConfig.check(
                        Configs.of(ReadinessConfig.class, Map.of("arc2face.readiness.warm-up-retry", "PT0S"))))
                .withMessageContaining("arc2face.readiness.warm-up-retry");
    }
}
