package dev.arc2face.gateway.provenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.dataset.Python;
import dev.arc2face.gateway.image.ImageFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OriginTest {
    private static final Origin ORIGIN = new Origin(
            "mini", "base", List.of(new Network("encoder", "1", "aa"), new Network("unet", "2", ""))); // one untold

    @Test
    void pictureIdIsWhatPythonMakesOfTheDocumentation() {
        String script = Path.of("src/test/resources/pictures/picture_id.py")
                .toAbsolutePath()
                .toString();
        assertThat(Python.run(
                        script, "0123", "512", "256", "jpeg", "92", "mini", "base", "encoder", "1", "aa", "unet", "2",
                        ""))
                .containsExactly(ORIGIN.pictureId("0123", 512, 256, ImageFormat.JPEG, 92));
        assertThat(Python.run(
                        script, "0123", "512", "256", "webp", "0", "mini", "base", "encoder", "1", "aa", "unet", "2",
                        ""))
                .containsExactly(ORIGIN.pictureId("0123", 512, 256, ImageFormat.WEBP, 92));
    }

    @Test
    void networksThatDrawAreTheOriginInTheirOrder() {
        Stream<Network> used = Stream.of("face_detector", "arcface", "encoder", "unet", "unet_guided", "vae_decoder")
                .map(name -> new Network(name, "1", "aa"));
        assertThat(Origin.of("mini", "base", used))
                .isEqualTo(new Origin(
                        "mini",
                        "base",
                        Stream.of("encoder", "unet", "vae_decoder")
                                .map(name -> new Network(name, "1", "aa"))
                                .toList()));
    }

    @Test
    void whateverThePictureComesFromIsInItsId() {
        String id = ORIGIN.pictureId("0123", 512, 256, ImageFormat.PNG, 92);
        assertThat(ORIGIN.pictureId("0123", 512, 256, ImageFormat.PNG, 1))
                .as("a PNG has no quality")
                .isEqualTo(id);
        assertThat(List.of(
                        ORIGIN.pictureId("0124", 512, 256, ImageFormat.PNG, 92),
                        ORIGIN.pictureId("0123", 256, 512, ImageFormat.PNG, 92),
                        ORIGIN.pictureId("0123", 512, 256, ImageFormat.WEBP, 92),
                        new Origin("mini", "lcm", ORIGIN.networks()).pictureId("0123", 512, 256, ImageFormat.PNG, 92),
                        new Origin("mini", "base", ORIGIN.networks().subList(0, 1))
                                .pictureId("0123", 512, 256, ImageFormat.PNG, 92)))
                .doesNotContain(id)
                .doesNotHaveDuplicates();
    }
}
