package dev.arc2face.gateway.provenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureMarkTest {
    private static final Path SEEDS = Path.of("src", "test", "resources", "fuzz", "marks");
    private static final PictureMark NONE =
            new PictureMark(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    private static final Pixels PICTURE = new Pixels(4, 3, new byte[4 * 3 * 3]);
    private static final Origin ORIGIN = new Origin(
            "mini", "base", List.of(new Network("unet", "1", "0f"), new Network("<odd> & \"strange\"\n", "2", "")));

    @ParameterizedTest
    @EnumSource
    void whatAPictureIsMarkedWithIsReadAgain(ImageFormat format) {
        PictureMark mark = PictureMark.in(PictureEncoder.encode(PICTURE, format, 92, XmpPacket.of(ORIGIN, "abc")));
        assertThat(mark)
                .isEqualTo(new PictureMark(
                        Optional.of("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"),
                        Optional.of("Arc2Face model server"),
                        Optional.of("unet 1 sha256:0f, <odd> & \"strange\"  2"),
                        Optional.of("abc")));
    }

    @Test
    void previewIsMarkedWithoutAnId() {
        PictureMark mark =
                PictureMark.in(PictureEncoder.encode(PICTURE, ImageFormat.JPEG, 75, XmpPacket.ofPictureWithoutId()));
        assertThat(mark.digitalSourceType()).contains(XmpPacket.TRAINED_ALGORITHMIC_MEDIA);
        assertThat(mark.pictureId()).isEmpty();
    }

    @Test
    void aPictureWithoutMarksHasNone() {
        assertThat(PictureMark.in(PictureEncoder.encode(PICTURE, ImageFormat.PNG, 0)))
                .isEqualTo(NONE);
        assertThat(PictureMark.in(new byte[0])).isEqualTo(NONE);
        assertThat(PictureMark.in("GIF89a".getBytes(StandardCharsets.US_ASCII))).isEqualTo(NONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"elements.xmp", "attributes.xmp"})
    void othersWriteTheSamePropertiesInTheirWay(String name) throws IOException {
        PictureMark mark = markOf(Files.readAllBytes(SEEDS.resolve(name)));
        assertThat(mark.software()).contains("a tool");
        assertThat(mark.pictureId()).contains("an id");
    }

    @ParameterizedTest
    @ValueSource(strings = {"entities.xmp", "external.xmp", "deep.xmp", "not-utf-8.xmp", "cut.xmp"})
    void damageAndEntitiesAreNoMark(String name) throws IOException {
        assertThat(markOf(Files.readAllBytes(SEEDS.resolve(name)))).isEqualTo(NONE);
    }

    private static PictureMark markOf(byte[] packet) {
        return PictureMark.in(PictureEncoder.encode(PICTURE, ImageFormat.WEBP, 0, packet));
    }
}
