package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PortraitNoiseTest {
    @Test
    void everyPortraitGoesOnDrawingFromItsOwnGenerator() {
        PortraitNoise together = new PortraitNoise(new int[] {7, -1, 0}, 3, 5);
        Noise alone = new Noise(-1);

        for (int draw = 0; draw < 3; draw++) {
            Latents latents = together.draw();
            int stride = latents.stride();
            assertThat(stride).isEqualTo(4 * 3 * 5);
            assertThat(Arrays.copyOfRange(latents.values(), stride, 2 * stride)).isEqualTo(alone.draw(stride));
        }
    }
}
