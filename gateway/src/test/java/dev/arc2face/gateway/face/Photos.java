package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assumptions.assumeThat;

import dev.arc2face.gateway.image.Pixels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Photographs of people, and things done to them. Surefire runs in {@code gateway/}. */
final class Photos {
    private static final Path SAMPLE = Path.of("../samples/collins.png");
    private static final Path SHARED = Path.of("../../shared/photos");

    private Photos() {}

    /** One face, in the upper half. */
    static byte[] sample() {
        return read(SAMPLE);
    }

    /** The photos beside the repository, one face each; the test is skipped where there are none. */
    static List<Path> shared() {
        assumeThat(SHARED)
                .as("skipped: there is no folder shared/photos beside the repository")
                .isDirectory();
        try (Stream<Path> files = Files.list(SHARED)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Pixels mirrored(Pixels picture) {
        int width = picture.width();
        byte[] rgb = new byte[picture.rgb().length];
        for (int i = 0; i < rgb.length; i++) {
            int pixel = i / 3;
            int mirror = pixel - pixel % width + (width - 1 - pixel % width);
            rgb[i] = picture.rgb()[mirror * 3 + i % 3];
        }
        return new Pixels(width, picture.height(), rgb);
    }

    static Pixels crop(Pixels picture, int left, int top, int width, int height) {
        byte[] rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++) {
            System.arraycopy(picture.rgb(), ((top + y) * picture.width() + left) * 3, rgb, y * width * 3, width * 3);
        }
        return new Pixels(width, height, rgb);
    }

    /** Two pictures of the same height. */
    static Pixels sideBySide(Pixels left, Pixels right) {
        int width = left.width() + right.width();
        byte[] rgb = new byte[width * left.height() * 3];
        for (int y = 0; y < left.height(); y++) {
            System.arraycopy(left.rgb(), y * left.width() * 3, rgb, y * width * 3, left.width() * 3);
            System.arraycopy(
                    right.rgb(), y * right.width() * 3, rgb, (y * width + left.width()) * 3, right.width() * 3);
        }
        return new Pixels(width, left.height(), rgb);
    }
}
