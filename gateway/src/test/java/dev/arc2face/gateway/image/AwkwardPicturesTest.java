package dev.arc2face.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.FailureException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the table of {@code docs/hostile-input.md} against the decoder; what is to be seen, {@link PhotoDecoderTest}. */
class AwkwardPicturesTest {
    private static final Map<String, String> OUTCOMES = AwkwardPictures.outcomes();
    private static final Path PICTURES = Path.of("src", "test", "resources", "photos");
    /** Black, and too large to be listed pixel by pixel. */
    private static final String LARGEST = "50-megapixels.png";

    private final PhotoDecoder decoder = new PhotoDecoder(16 << 20, 50_000_000);

    @Test
    void theTableHasEveryPicture() throws IOException {
        try (Stream<Path> files = Files.list(PICTURES)) {
            assertThat(files.map(file -> file.getFileName().toString())
                            .filter(name -> !name.endsWith(".py") && !name.endsWith(".tsv")))
                    .containsExactlyInAnyOrderElementsOf(OUTCOMES.keySet());
        }
    }

    @Test
    void everyRightPictureIsCompared() {
        Set<String> decoded = OUTCOMES.entrySet().stream()
                .filter(picture -> isSize(picture.getValue()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(decoded.remove(LARGEST)).isTrue();
        assertThat(decoded).isEqualTo(ExpectedPictures.load().keySet());
    }

    static Stream<String> names() {
        return OUTCOMES.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void endsAsTheTableSays(String name) {
        String outcome = OUTCOMES.get(name);
        byte[] file = AwkwardPictures.file(name);
        if (isSize(outcome)) {
            Pixels picture = decoder.decode(file);
            assertThat(picture.width() + "x" + picture.height()).isEqualTo(outcome);
        } else {
            FailureException refusal = catchThrowableOfType(FailureException.class, () -> decoder.decode(file));
            assertThat(refusal.reason().name()).isEqualTo(outcome);
        }
    }

    @Test
    void theLargestPictureIsBlack() {
        byte[] rgb = decoder.decode(AwkwardPictures.file(LARGEST)).rgb();
        assertThat(IntStream.range(0, rgb.length).allMatch(i -> rgb[i] == 0)).isTrue();
    }

    private static boolean isSize(String outcome) {
        return Character.isDigit(outcome.charAt(0));
    }
}
