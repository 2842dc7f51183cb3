package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.image.Pixels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LatentPreviewTest {
    @Test
    void coloursAreLinearInTheChannelsAndClamped() {
        LatentPreview preview = LatentPreview.parse(
                "{\"factors\": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], \"bias\": [0.5, 0.5, 0.5]}");
        Latents latents = new Latents(new float[] {0, 0, 0, 0, /* the second one: */ -2, 0.1f, 9, 77}, 2, 1, 1);

        Pixels picture = preview.picture(latents, 1);

        assertThat(picture.width()).isEqualTo(4);
        assertThat(picture.height()).isEqualTo(4);
        for (int i = 0; i < picture.rgb().length; i += 3) {
            assertThat(picture.rgb()[i]).isEqualTo((byte) 0);
            assertThat(picture.rgb()[i + 1]).isEqualTo((byte) 153);
            assertThat(picture.rgb()[i + 2]).isEqualTo((byte) 255);
        }
    }

    @Test
    void picturesAreInterpolatedBetweenTheMiddlesOfLatentPixels() {
        LatentPreview preview =
                LatentPreview.parse("{\"factors\": [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], \"bias\": [0, 0, 0]}");
        Latents latents = new Latents(new float[] {0, 1, 0, 0, 0, 0, 0, 0}, 1, 1, 2);

        byte[] rgb = preview.picture(latents, 0).rgb();

        int[] reds = new int[8];
        for (int x = 0; x < reds.length; x++) {
            reds[x] = rgb[3 * x] & 0xff;
        }
        assertThat(reds).containsExactly(0, 0, 32, 96, 159, 223, 255, 255);
    }

    @ParameterizedTest
    @CsvSource({"16, 64", "32, 128", "48, 96", "64, 128", "96, 96"})
    void picturesAreFourTimesTheLatentsOrLessWhereThatIsLarge(int latentSide, int side) {
        LatentPreview preview =
                LatentPreview.parse("{\"factors\": [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], \"bias\": [0, 0, 0]}");
        Latents latents = new Latents(new float[4 * latentSide * latentSide], 1, latentSide, latentSide);

        Pixels picture = preview.picture(latents, 0);

        assertThat(picture.width()).isEqualTo(side);
        assertThat(picture.height()).isEqualTo(side);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{}",
                "{\"factors\": [[1, 0, 0]], \"bias\": [0, 0, 0]}",
                "{\"factors\": [[1, 0], [1, 0], [1, 0], [1, 0]], \"bias\": [0, 0, 0]}",
                "{\"factors\": [[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]], \"bias\": [0]}",
                "{\"factors\": [[1, 0, 0], null, [1, 0, 0], [1, 0, 0]], \"bias\": [0, 0, 0]}",
                "{\"factors\": [[1, 0, null], [1, 0, 0], [1, 0, 0], [1, 0, 0]], \"bias\": [0, 0, 0]}",
            })
    void otherFactorsAreAViolationOfTheContract(String json) {
        assertThatThrownBy(() -> LatentPreview.parse(json)).isInstanceOfSatisfying(FailureException.class, failure -> {
            assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED);
            assertThat(failure.metadata()).containsEntry("model", "vae_decoder");
        });
    }
}
