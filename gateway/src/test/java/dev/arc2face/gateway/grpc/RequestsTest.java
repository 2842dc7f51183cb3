package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RequestsTest {
    @Test
    void defaultSchedulerThatThereIsNotIsRefusedByItsKey() {
        GenerationConfig defaults = Configs.of(GenerationConfig.class, Map.of("arc2face.generation.scheduler", "plms"));
        LimitsConfig limits = Configs.of(LimitsConfig.class, Map.of());

        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Requests(defaults, limits))
                .withMessageContaining("arc2face.generation.scheduler")
                .withMessageContaining("known are dpmpp_2m");
    }
}
