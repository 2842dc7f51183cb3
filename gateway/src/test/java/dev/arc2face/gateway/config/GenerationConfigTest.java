package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;

class GenerationConfigTest {
    @Test
    void defaults() {
        GenerationConfig config = Configs.of(GenerationConfig.class, Map.of());
        GenerationConfig.check(config);
        assertThat(config.scheduler()).isEqualTo("dpmpp_2m");
        assertThat(config.previewEvery()).isEqualTo(5);
        assertThat(config.jpegQuality()).isEqualTo(92);
    }

    @Test
    void explicitMapping() {
        GenerationConfig config = Configs.of(
                GenerationConfig.class,
                Map.of(
                        "arc2face.generation.scheduler", "euler",
                        "arc2face.generation.preview-every", "0",
                        "arc2face.generation.jpeg-quality", "80"));
        GenerationConfig.check(config);
        assertThat(config.scheduler()).isEqualTo("euler");
        assertThat(config.previewEvery()).isZero();
        assertThat(config.jpegQuality()).isEqualTo(80);
    }

    @Test
    void valuesBeyondTheApiAreRefusedByKey() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GenerationConfig.check(
                        Configs.of(GenerationConfig.class, Map.of("arc2face.generation.jpeg-quality", "0"))))
                .withMessageContaining("arc2face.generation.jpeg-quality");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GenerationConfig.check(
                        Configs.of(GenerationConfig.class, Map.of("arc2face.generation.preview-every", "101"))))
                .withMessageContaining("arc2face.generation.preview-every");
    }
}
