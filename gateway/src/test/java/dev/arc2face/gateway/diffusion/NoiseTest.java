package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class NoiseTest {
    @Test
    void equalsTorchDrawAfterDraw() {
        for (JsonObject golden : Goldens.read("noise.jsonl")) {
            Noise noise = new Noise((int) golden.get("seed").getAsLong());
            for (JsonElement element : golden.getAsJsonArray("draws")) {
                JsonObject draw = element.getAsJsonObject();
                float[] values = noise.draw(draw.get("count").getAsInt());
                String what = "seed " + golden.get("seed") + ", " + values.length + " values";

                float[] first = Goldens.floats(draw, "first");
                float[] last = Goldens.floats(draw, "last");
                assertThat(Arrays.copyOf(values, first.length)).as(what).containsExactly(first, within(1e-5f));
                assertThat(Arrays.copyOfRange(values, values.length - last.length, values.length))
                        .as(what)
                        .containsExactly(last, within(1e-5f));
                assertThat(weightedSum(values))
                        .as(what)
                        .isCloseTo(draw.get("weighted_sum").getAsDouble(), within(1e-7 * values.length));
            }
        }
    }

    @Test
    void neighbouringSeedsShareNothing() {
        assertThat(new Noise(7).draw(64)).doesNotContain(new Noise(8).draw(64));
    }

    private static double weightedSum(float[] values) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += (double) values[i] * (i % 7 - 3);
        }
        return sum;
    }
}
