package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.Pixels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against {@code faces/make.py}: scikit-image's Umeyama and warp, and insightface's own {@code norm_crop}. */
class AlignerTest {
    private static final Path FACES = Path.of("src/test/resources/faces");
    private static final Path SAMPLE = Path.of("../samples/collins.png");

    private final PhotoDecoder decoder = new PhotoDecoder(1 << 20, 1 << 20);
    private final Pixels photo = picture("photo.png");

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void cropsAsInsightfaceDoes(int face) {
        Pixels expected = picture("crop-" + face + ".png");
        Pixels crop = Aligner.align(photo, landmarks(face));

        assertThat(List.of(crop.width(), crop.height())).containsOnly(112);
        assertThat(deviations(crop, expected)).allMatch(deviation -> deviation <= 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aPortraitsCropIsInsightfacesWithinOneLevelOnAverage(int face) {
        Pixels crop = Aligner.align(decoder.decode(Photos.read(SAMPLE)), landmarks("portrait.tsv", face));

        assertThat(deviations(crop, picture("portrait-" + face + ".png"))
                        .average()
                        .orElseThrow())
                .isLessThanOrEqualTo(1);
    }

    @Test
    void aPictureThatIsAlignedStaysAsItIs() {
        Pixels aligned = Aligner.align(photo, landmarks(0));
        List<Point> template =
                points(38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041);
        assertThat(Aligner.align(aligned, template).rgb()).isEqualTo(aligned.rgb());
    }

    @Test
    void outsideIsBlackOrAReflection() {
        byte[] white = new byte[20 * 20 * 3];
        Arrays.fill(white, (byte) 255);
        Pixels small = new Pixels(20, 20, white);
        List<Point> landmarks = points(4, 7, 16, 7, 10, 10, 5, 14, 15, 14);

        assertThat(Aligner.align(small, landmarks).rgb()).contains((byte) 0).contains((byte) 255);
        assertThat(Aligner.alignWithinBorder(small, landmarks).rgb()).containsOnly((byte) 255);
        assertThat(Aligner.alignWithinBorder(new Pixels(1, 1, new byte[] {9, 9, 9}), landmarks)
                        .rgb())
                .containsOnly((byte) 9);
    }

    @Test
    void aReflectionDoesNotRepeatTheEdge() {
        Pixels row = new Pixels(3, 1, new byte[] {10, 10, 10, 20, 20, 20, 30, 30, 30});
        // The template itself, shifted so that the crop's column 0 is the photo's column -3.
        List<Point> shifted =
                points(35.2946, 51.6963, 70.5318, 51.5014, 53.0252, 71.7366, 38.5493, 92.3655, 67.7299, 92.2041);
        byte[] crop = Aligner.alignWithinBorder(row, shifted).rgb();
        assertThat(IntStream.range(0, 9).mapToObj(x -> crop[3 * x]))
                .containsExactly(bytes(20, 30, 20, 10, 20, 30, 20, 10, 20));
    }

    @Test
    void landmarksThatAreNoFaceAreRefused() {
        List<Point> onePoint = Collections.nCopies(5, new Point(3, 3));
        assertThatThrownBy(() -> Aligner.align(photo, onePoint)).isInstanceOf(IllegalArgumentException.class);
        List<Point> four = landmarks(0).subList(0, 4);
        assertThatThrownBy(() -> Aligner.align(photo, four)).isInstanceOf(IllegalArgumentException.class);
    }

    private static IntStream deviations(Pixels crop, Pixels expected) {
        assertThat(crop.rgb()).hasSameSizeAs(expected.rgb());
        return IntStream.range(0, crop.rgb().length)
                .map(i -> Math.abs((crop.rgb()[i] & 0xff) - (expected.rgb()[i] & 0xff)));
    }

    private static List<Point> landmarks(int face) {
        return landmarks("landmarks.tsv", face);
    }

    private static List<Point> landmarks(String file, int face) {
        String[] line = new String(Photos.read(FACES.resolve(file)), StandardCharsets.UTF_8)
                .lines()
                .toList()
                .get(face)
                .split("\t", -1);
        return points(Arrays.stream(line).mapToDouble(Double::parseDouble).toArray());
    }

    private static List<Point> points(double... coordinates) {
        return IntStream.range(0, coordinates.length / 2)
                .mapToObj(i -> new Point((float) coordinates[2 * i], (float) coordinates[2 * i + 1]))
                .toList();
    }

    private static Byte[] bytes(int... values) {
        return Arrays.stream(values).mapToObj(value -> (byte) value).toArray(Byte[]::new);
    }

    private Pixels picture(String name) {
        assertThat(FACES.resolve(name)).isRegularFile();
        return decoder.decode(Photos.read(FACES.resolve(name)));
    }
}
