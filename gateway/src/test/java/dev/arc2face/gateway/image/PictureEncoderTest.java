package dev.arc2face.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureEncoderTest {
    private static final Pixels PICTURE =
            Objects.requireNonNull(ExpectedPictures.load().get("rgb.png"));
    private final PhotoDecoder decoder = new PhotoDecoder(1 << 20, 1 << 20);

    @Test
    void pngKeepsEveryPixel() {
        Pixels decoded = decoder.decode(PictureEncoder.encode(PICTURE, ImageFormat.PNG, 0));
        assertThat(decoded.width()).isEqualTo(PICTURE.width());
        assertThat(decoded.rgb()).isEqualTo(PICTURE.rgb());
    }

    @Test
    void pngTakesWhatCannotBeCompressedAndTheNarrowest() {
        for (int width : new int[] {1, 2, 300}) {
            byte[] noise = new byte[width * 200 * 3];
            new Random(width).nextBytes(noise);
            Pixels decoded = decoder.decode(PictureEncoder.encode(new Pixels(width, 200, noise), ImageFormat.PNG, 0));
            assertThat(decoded.width()).isEqualTo(width);
            assertThat(decoded.rgb()).isEqualTo(noise);
        }
    }

    @Test
    void jpegOfFullQualityKeepsSaturatedEdges() {
        Pixels decoded = decoder.decode(PictureEncoder.encode(PICTURE, ImageFormat.JPEG, 100));
        // with subsampled chroma the red patch's edge would be off by dozens
        assertThat(IntStream.range(0, PICTURE.rgb().length)
                        .map(i -> Math.abs((decoded.rgb()[i] & 0xff) - (PICTURE.rgb()[i] & 0xff))))
                .allMatch(deviation -> deviation <= 4);
    }

    @Test
    void jpegIsBaselineWithoutSubsampling() {
        byte[] jpeg = PictureEncoder.encode(PICTURE, ImageFormat.JPEG, 92);
        int frame = IntStream.range(0, jpeg.length)
                .filter(i -> jpeg[i] == (byte) 0xff && jpeg[i + 1] == (byte) 0xc0)
                .findFirst()
                .orElseThrow();
        assertThat(List.of(jpeg[frame + 11], jpeg[frame + 14], jpeg[frame + 17]))
                .containsOnly((byte) 0x11);
    }

    @Test
    void lowerQualityIsSmaller() {
        assertThat(PictureEncoder.encode(PICTURE, ImageFormat.JPEG, 20).length)
                .isLessThan(PictureEncoder.encode(PICTURE, ImageFormat.JPEG, 95).length);
    }

    @ParameterizedTest
    @EnumSource
    void theSamePixelsGiveTheSameBytes(ImageFormat format) {
        byte[] first = PictureEncoder.encode(PICTURE, format, 92);
        assertThat(PictureEncoder.encode(PICTURE, format, 92)).isEqualTo(first);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 101})
    void qualityIsAPercentage(int quality) {
        assertThatThrownBy(() -> PictureEncoder.encode(PICTURE, ImageFormat.JPEG, quality))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
