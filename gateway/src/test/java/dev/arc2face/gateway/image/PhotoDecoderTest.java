package dev.arc2face.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PhotoDecoderTest {
    private static final Map<String, Pixels> EXPECTED = ExpectedPictures.load();
    private static final int MEBIBYTE = 1 << 20;

    private final PhotoDecoder decoder = new PhotoDecoder(MEBIBYTE, MEBIBYTE);

    /** How far a decoder may be from Pillow's, in levels. */
    private record Tolerance(double mean, int max) {
        /**
         * PNG and lossless WebP are exact but for the rounding of alpha; JPEG is libjpeg against libjpeg-turbo; profiles
         * are two versions of LittleCMS, with 8-bit CIELAB between inks and sRGB. TwelveMonkeys takes a lossy WebP's
         * chroma from the nearest sample where libwebp interpolates, which these steep colours show most: on a
         * photograph the mean is 1.5.
         */
        static Tolerance of(String name) {
            if (name.startsWith("lossy") || name.startsWith("uncompressed-alpha")) {
                return new Tolerance(7, 80);
            }
            if (name.startsWith("cmyk-profile")) {
                return new Tolerance(2, 8);
            }
            return name.contains("profile") || name.contains("gamut") ? new Tolerance(1, 3) : new Tolerance(0.5, 1);
        }
    }

    static Stream<String> expectedNames() {
        return EXPECTED.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("expectedNames")
    void decodesWhatPillowSees(String name) {
        Pixels expected = EXPECTED.get(name);
        Pixels decoded = decoder.decode(ExpectedPictures.file(name));

        assertThat(List.of(decoded.width(), decoded.height())).isEqualTo(List.of(expected.width(), expected.height()));
        int[] deviations = IntStream.range(0, expected.rgb().length)
                .map(i -> Math.abs((decoded.rgb()[i] & 0xff) - (expected.rgb()[i] & 0xff)))
                .toArray();
        Tolerance tolerance = Tolerance.of(name);
        assertThat(Arrays.stream(deviations).max().orElseThrow())
                .as("largest deviation")
                .isLessThanOrEqualTo(tolerance.max);
        assertThat(Arrays.stream(deviations).average().orElseThrow())
                .as("mean deviation")
                .isLessThanOrEqualTo(tolerance.mean);
    }

    @ParameterizedTest
    @ValueSource(strings = {"full-chroma.jpg", "rgb.png", "lossless.webp", "lossy-alpha.webp"})
    void photosCutAnywhereAreRefused(String name) {
        byte[] whole = ExpectedPictures.file(name);
        for (int length = 12; length < whole.length; length++) {
            assertThat(refusal(Arrays.copyOf(whole, length)).reason())
                    .as("the first %d bytes", length)
                    .isEqualTo(ErrorReason.IMAGE_DECODE_FAILED);
        }
    }

    /** Whatever is in the bytes: pixels, or one of the documented errors. */
    @ParameterizedTest
    @ValueSource(strings = {"progressive.jpg", "cmyk.jpg", "palette-alpha.png", "lossy-alpha.webp", "lossless.webp"})
    void damageNeverEscapesAsAnotherError(String name) {
        Random random = new Random(name.hashCode());
        for (int round = 0; round < 200; round++) {
            byte[] damaged = ExpectedPictures.file(name);
            for (int i = 0; i <= round % 4; i++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            assertThatCode(() -> {
                        try {
                            decoder.decode(damaged);
                        } catch (FailureException refused) {
                            assertThat(refused.reason())
                                    .isIn(
                                            ErrorReason.IMAGE_DECODE_FAILED,
                                            ErrorReason.IMAGE_TOO_LARGE,
                                            ErrorReason.UNSUPPORTED_IMAGE_FORMAT);
                        }
                    })
                    .as("round %d", round)
                    .doesNotThrowAnyException();
        }
    }

    static Stream<byte[]> otherFormats() {
        return Stream.of(
                new byte[0],
                new byte[] {(byte) 0xff},
                "GIF89a\1\0\1\0\0\0\0;".getBytes(StandardCharsets.ISO_8859_1),
                "BM rather old".getBytes(StandardCharsets.ISO_8859_1),
                "RIFF\4\0\0\0WAVE".getBytes(StandardCharsets.ISO_8859_1),
                "<svg xmlns='http://www.w3.org/2000/svg'/>".getBytes(StandardCharsets.ISO_8859_1));
    }

    @ParameterizedTest
    @MethodSource("otherFormats")
    void otherFormatsAreUnsupported(byte[] file) {
        assertThat(refusal(file).reason()).isEqualTo(ErrorReason.UNSUPPORTED_IMAGE_FORMAT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bomb.jpg", "bomb.png", "bomb.webp"})
    void tooManyPixelsAreRefusedFromTheHeader(String name) {
        FailureException refusal = refusal(ExpectedPictures.file(name)); // decoded, it would not fit into this JVM
        assertThat(refusal.reason()).isEqualTo(ErrorReason.IMAGE_TOO_LARGE);
        assertThat(refusal.metadata())
                .containsEntry("limit", String.valueOf(MEBIBYTE))
                .containsEntry("unit", "pixels")
                .containsKey("actual");
    }

    @Test
    void theRefusalSaysHowManyPixelsThereAre() {
        PhotoDecoder small = new PhotoDecoder(MEBIBYTE, 27 * 18 - 1);
        FailureException refusal =
                catchThrowableOfType(FailureException.class, () -> small.decode(ExpectedPictures.file("rgb.png")));
        assertThat(refusal.metadata()).isEqualTo(Map.of("limit", "485", "actual", "486", "unit", "pixels"));
        assertThat(new PhotoDecoder(MEBIBYTE, 27 * 18)
                        .decode(ExpectedPictures.file("rgb.png"))
                        .width())
                .isEqualTo(27);
    }

    @ParameterizedTest
    @CsvSource({
        "1x70000.png, 65535, 70000, pixels a side",
        "scan-bomb.jpg, 800000000, 816000000, pixels in all scans",
    })
    void sidesAndPassesHaveBudgetsOfTheirOwn(String name, String limit, String actual, String unit) {
        PhotoDecoder large = new PhotoDecoder(MEBIBYTE, 50_000_000);
        FailureException refusal =
                catchThrowableOfType(FailureException.class, () -> large.decode(ExpectedPictures.file(name)));
        assertThat(refusal.reason()).isEqualTo(ErrorReason.IMAGE_TOO_LARGE);
        assertThat(refusal.metadata()).isEqualTo(Map.of("limit", limit, "actual", actual, "unit", unit));
    }

    @Test
    void photosOfAnIdentityHaveABudgetTogether() {
        PhotoDecoder narrow = new PhotoDecoder(MEBIBYTE, 27 * 18);
        PixelAllowance allowance = narrow.newAllowance();
        for (int i = 0; i < PhotoDecoder.LARGEST_OF_AN_IDENTITY; i++) {
            narrow.decode(ExpectedPictures.file("rgb.png"), allowance);
        }
        FailureException refused = catchThrowableOfType(
                FailureException.class, () -> narrow.decode(ExpectedPictures.file("one-pixel.png"), allowance));
        assertThat(refused.reason()).isEqualTo(ErrorReason.IMAGE_TOO_LARGE);
        assertThat(refused.metadata())
                .isEqualTo(Map.of(
                        "limit", String.valueOf(4 * 27 * 18),
                        "actual", String.valueOf(4 * 27 * 18 + 1),
                        "unit", "pixels in all photos"));
    }

    @Test
    void tooManyBytesAreRefusedUnread() {
        FailureException refusal = refusal(new byte[MEBIBYTE + 1]);
        assertThat(refusal.reason()).isEqualTo(ErrorReason.IMAGE_TOO_LARGE);
        assertThat(refusal.metadata()).isEqualTo(Map.of("limit", "1048576", "actual", "1048577", "unit", "bytes"));
    }

    @Test
    void manyCallersWaitForAPlaceAndAllGetTheirPhoto() {
        PhotoDecoder narrow = new PhotoDecoder(MEBIBYTE, 27 * 18);
        byte[] photo = ExpectedPictures.file("full-chroma.jpg");
        Pixels alone = narrow.decode(photo);
        assertThat(IntStream.range(0, 64)
                        .parallel()
                        .mapToObj(i -> narrow.decode(photo).rgb()))
                .allSatisfy(rgb -> assertThat(rgb).isEqualTo(alone.rgb()));
    }

    @Test
    void aPlaceIsGivenBackByAPhotoThatFails() {
        PhotoDecoder narrow = new PhotoDecoder(MEBIBYTE, 27 * 18);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> narrow.decode(ExpectedPictures.file("too-little-data.png")))
                    .isInstanceOf(FailureException.class);
        }
        assertThat(narrow.decode(ExpectedPictures.file("rgb.png")).height()).isEqualTo(18);
    }

    private FailureException refusal(byte[] file) {
        return catchThrowableOfType(FailureException.class, () -> decoder.decode(file));
    }
}
