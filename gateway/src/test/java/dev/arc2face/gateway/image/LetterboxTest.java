package dev.arc2face.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against {@code faces/make.py}: OpenCV's resize and border. */
class LetterboxTest {
    private final PhotoDecoder decoder = new PhotoDecoder(1 << 20, 1 << 20);

    @ParameterizedTest
    @ValueSource(ints = {32, 64, 112})
    void resamplesAsOpenCvDoes(int side) throws IOException {
        assertThat(Letterbox.of(picture("photo.png"), side).square().rgb())
                .isEqualTo(picture("letterbox-" + side + ".png").rgb());
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 64, 112})
    void reflectsAsOpenCvDoes(int side) throws IOException {
        assertThat(Letterbox.withReflectedBorder(picture("photo.png"), side)
                        .square()
                        .rgb())
                .isEqualTo(picture("bordered-" + side + ".png").rgb());
    }

    @Test
    void aPhotoOfTheSquaresSizeStaysAsItIs() {
        byte[] rgb = new byte[16 * 16 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * 7);
        }
        Pixels photo = new Pixels(16, 16, rgb);
        assertThat(Letterbox.of(photo, 16).square().rgb()).isEqualTo(rgb);
    }

    @Test
    void theShorterSideIsRoundedDown() {
        Letterbox tall = Letterbox.of(new Pixels(1209, 1600, new byte[1209 * 1600 * 3]), 640);
        assertThat(tall.photoX(483)).isEqualTo(1209); // of 483.6
        assertThat(tall.photoY(640)).isEqualTo(1600);
    }

    @Test
    void cornersOfTheSquareAreCornersOfThePhoto() {
        Letterbox wide = Letterbox.of(new Pixels(200, 100, new byte[200 * 100 * 3]), 64); // 64x32
        assertThat(wide.photoX(0)).isZero();
        assertThat(wide.photoX(64)).isEqualTo(200);
        assertThat(wide.photoY(32)).isEqualTo(100);

        Letterbox bordered = Letterbox.withReflectedBorder(new Pixels(200, 100, new byte[200 * 100 * 3]), 64);
        assertThat(bordered.photoX(16)).isZero(); // 32x16, 16 pixels left and right, 8 above and below
        assertThat(bordered.photoX(48)).isEqualTo(200);
        assertThat(bordered.photoX(0)).isEqualTo(-100);
        assertThat(bordered.photoY(8)).isZero();
        assertThat(bordered.photoY(24)).isCloseTo(100, within(1e-9));
    }

    @Test
    void aPhotoOfOnePixelRowHasAtLeastOneRow() {
        Letterbox letterbox = Letterbox.of(new Pixels(1000, 1, new byte[3000]), 64);
        assertThat(letterbox.photoY(1)).isEqualTo(1);
        assertThat(Letterbox.withReflectedBorder(new Pixels(1, 1000, new byte[3000]), 64)
                        .photoX(1))
                .isEqualTo(1);
    }

    private Pixels picture(String name) throws IOException {
        return decoder.decode(Files.readAllBytes(Path.of("src/test/resources/faces", name)));
    }
}
