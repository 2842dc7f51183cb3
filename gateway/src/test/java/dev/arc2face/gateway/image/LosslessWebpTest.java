package dev.arc2face.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.arc2face.gateway.dataset.Python;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Held against Pillow's decoder, which is libwebp's, bit for bit, and against our own. */
class LosslessWebpTest {
    private static final Map<String, Pixels> PICTURES = pictures();

    private final PhotoDecoder decoder = new PhotoDecoder(1 << 24, 1 << 24);

    private static Map<String, Pixels> pictures() {
        Map<String, Pixels> pictures = new TreeMap<>();
        Random random = new Random(1);
        for (int[] size : new int[][] {{1, 1}, {1, 40}, {40, 1}, {2, 2}, {15, 17}, {16, 16}, {33, 31}, {300, 200}}) {
            byte[] noise = new byte[size[0] * size[1] * 3];
            random.nextBytes(noise);
            pictures.put("noise " + size[0] + "x" + size[1], new Pixels(size[0], size[1], noise));
        }
        pictures.put("black", new Pixels(100, 70, new byte[100 * 70 * 3]));
        byte[] grey = new byte[100 * 70 * 3];
        Arrays.fill(grey, (byte) 0x80);
        pictures.put("grey", new Pixels(100, 70, grey));
        byte[] gradient = new byte[256 * 64 * 3];
        byte[] stripes = new byte[64 * 64 * 3];
        byte[] skewed = new byte[200 * 200 * 3];
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] = (byte) (i / 3 % 256 + i % 3 * (i / 768));
        }
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = (byte) (i / 3 % 2 * 255);
        }
        for (int i = 0; i < skewed.length; i++) { // so that codes come to their greatest length
            skewed[i] = (byte)
                    (random.nextInt(1 << 20) == 0
                            ? random.nextInt()
                            : Integer.numberOfTrailingZeros(random.nextInt() | 1 << 18));
        }
        pictures.put("gradient", new Pixels(256, 64, gradient));
        pictures.put("stripes", new Pixels(64, 64, stripes));
        pictures.put("skewed", new Pixels(200, 200, skewed));
        pictures.put("photo", photo());
        return pictures;
    }

    private static Pixels photo() {
        try {
            return new PhotoDecoder(1 << 24, 1 << 24)
                    .decode(Files.readAllBytes(Path.of("..", "samples", "collins.png")));
        } catch (IOException missing) {
            throw new IllegalStateException(missing);
        }
    }

    static List<String> names() {
        return List.copyOf(PICTURES.keySet());
    }

    @ParameterizedTest
    @MethodSource("names")
    void ourDecoderSeesEveryPixel(String name) {
        Pixels picture = PICTURES.get(name);
        Pixels decoded = decoder.decode(LosslessWebp.encode(picture));
        assertThat(List.of(decoded.width(), decoded.height())).isEqualTo(List.of(picture.width(), picture.height()));
        assertThat(decoded.rgb()).isEqualTo(picture.rgb());
    }

    @Test
    void pillowSeesEveryPixel(@TempDir Path folder) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(Path.of("src/test/resources/pictures/pixels.py")
                .toAbsolutePath()
                .toString()));
        List<String> expected = new ArrayList<>();
        for (Map.Entry<String, Pixels> picture : PICTURES.entrySet()) {
            Pixels pixels = picture.getValue();
            Path file = folder.resolve(picture.getKey() + ".webp");
            Files.write(file, LosslessWebp.encode(pixels));
            arguments.add(file.toString());
            String hash = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(pixels.rgb()));
            expected.add(pixels.width() + " " + pixels.height() + " RGB " + hash + " 0");
        }
        assertThat(Python.run(arguments.toArray(String[]::new))).isEqualTo(expected);
    }

    @Test
    void aPhotoIsSmallerThanAsPngAndFlatColoursAreNothing() {
        Pixels photo = PICTURES.get("photo");
        assertThat(LosslessWebp.encode(photo).length)
                .isLessThan(PictureEncoder.encode(photo, ImageFormat.PNG, 0).length);
        assertThat(LosslessWebp.encode(PICTURES.get("grey"))).hasSizeLessThan(100);
        assertThat(LosslessWebp.encode(PICTURES.get("stripes"))).hasSizeLessThan(200);
    }

    @Test
    void aWebpIsNoLargerThan16384PixelsASide() {
        int side = 1 << 14;
        Pixels widest = new Pixels(side, 1, new byte[side * 3]);
        assertThat(decoder.decode(LosslessWebp.encode(widest)).width()).isEqualTo(side);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LosslessWebp.encode(new Pixels(1, side + 1, new byte[(side + 1) * 3])));
    }
}
