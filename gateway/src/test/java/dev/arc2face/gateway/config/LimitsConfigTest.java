package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LimitsConfigTest {
    @Test
    void defaults() {
        LimitsConfig limits = Configs.of(LimitsConfig.class, Map.of());
        LimitsConfig.check(limits);
        assertThat(limits.maxPhotoBytes().asLongValue()).isEqualTo(16 << 20);
        assertThat(limits.maxPhotoPixels()).isEqualTo(50_000_000);
        assertThat(limits.minFacePixels()).isEqualTo(24);
        assertThat(limits.maxImages()).isEqualTo(16);
        assertThat(limits.maxSteps()).isEqualTo(100);
        assertThat(limits.maxAttempts()).isEqualTo(16);
        assertThat(limits.maxRunning()).isEqualTo(16);
        assertThat(limits.minRunning()).isEqualTo(1024);
        assertThat(limits.maxQueued()).isEqualTo(64);
        assertThat(limits.maxQueuedBytes().asLongValue()).isEqualTo(256 << 20);
        assertThat(limits.maxUnaryRunning()).isEqualTo(4);
        assertThat(limits.maxUnaryQueued()).isEqualTo(64);
        assertThat(limits.maxRequestBytes().asLongValue()).isEqualTo(17 << 20);
        assertThat(limits.maxResets()).isEqualTo(1000);
        assertThat(limits.maxEventBytes().asLongValue()).isEqualTo(3 << 20);
        assertThat(limits.clientStall()).isEqualTo(Duration.ofSeconds(30));
        assertThat(limits.retryAfter()).isEqualTo(Duration.ofSeconds(1));
        assertThat(limits.deadlineMargin()).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void explicitMapping() {
        LimitsConfig limits = Configs.of(
                LimitsConfig.class,
                Map.ofEntries(
                        Map.entry("arc2face.limits.max-photo-bytes", "1M"),
                        Map.entry("arc2face.limits.max-photo-pixels", "1000"),
                        Map.entry("arc2face.limits.min-face-pixels", "30"),
                        Map.entry("arc2face.limits.max-images", "4"),
                        Map.entry("arc2face.limits.max-steps", "50"),
                        Map.entry("arc2face.limits.max-attempts", "8"),
                        Map.entry("arc2face.limits.max-running", "2"),
                        Map.entry("arc2face.limits.min-running", "1"),
                        Map.entry("arc2face.limits.max-queued", "3"),
                        Map.entry("arc2face.limits.max-queued-bytes", "4M"),
                        Map.entry("arc2face.limits.max-unary-running", "5"),
                        Map.entry("arc2face.limits.max-unary-queued", "6"),
                        Map.entry("arc2face.limits.max-request-bytes", "2M"),
                        Map.entry("arc2face.limits.max-resets", "50"),
                        Map.entry("arc2face.limits.max-event-bytes", "512K"),
                        Map.entry("arc2face.limits.client-stall", "5s"),
                        Map.entry("arc2face.limits.retry-after", "2s"),
                        Map.entry("arc2face.limits.deadline-margin", "PT0.2S")));
        LimitsConfig.check(limits);
        assertThat(limits.maxPhotoBytes().asLongValue()).isEqualTo(1 << 20);
        assertThat(limits.maxPhotoPixels()).isEqualTo(1000);
        assertThat(limits.minFacePixels()).isEqualTo(30);
        assertThat(limits.maxImages()).isEqualTo(4);
        assertThat(limits.maxSteps()).isEqualTo(50);
        assertThat(limits.maxAttempts()).isEqualTo(8);
        assertThat(limits.maxRunning()).isEqualTo(2);
        assertThat(limits.minRunning()).isEqualTo(1);
        assertThat(limits.maxQueued()).isEqualTo(3);
        assertThat(limits.maxQueuedBytes().asLongValue()).isEqualTo(4 << 20);
        assertThat(limits.maxUnaryRunning()).isEqualTo(5);
        assertThat(limits.maxUnaryQueued()).isEqualTo(6);
        assertThat(limits.maxRequestBytes().asLongValue()).isEqualTo(2 << 20);
        assertThat(limits.maxResets()).isEqualTo(50);
        assertThat(limits.maxEventBytes().asLongValue()).isEqualTo(512 << 10);
        assertThat(limits.clientStall()).isEqualTo(Duration.ofSeconds(5));
        assertThat(limits.retryAfter()).isEqualTo(Duration.ofSeconds(2));
        assertThat(limits.deadlineMargin()).isEqualTo(Duration.ofMillis(200));
    }

    @Test
    void valuesBeyondTheApiAreRefusedByKey() {
        refused("max-photo-bytes", "17M");
        refused("max-images", "17");
        refused("max-images", "0");
        refused("max-steps", "101");
        refused("max-attempts", "17");
        refused("max-running", "0");
        refused("max-event-bytes", "4M");
        refused("max-request-bytes", "18M");
        refused("client-stall", "PT0S");
    }

    private static void refused(String key, String value) {
        LimitsConfig limits = Configs.of(LimitsConfig.class, Map.of("arc2face.limits." + key, value));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LimitsConfig.check(limits))
                .withMessageContaining("arc2face.limits." + key);
    }
}
