package dev.arc2face.gateway.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.zip.InflaterInputStream;

/** The pictures of {@code photos/make.py} and what is to be seen of them. */
final class ExpectedPictures {
    private ExpectedPictures() {}

    static Map<String, Pixels> load() {
        Map<String, Pixels> expected = new TreeMap<>();
        for (String line :
                new String(file("expected.tsv"), StandardCharsets.UTF_8).lines().toList()) {
            String[] columns = line.split("\t", -1);
            byte[] packed = Base64.getDecoder().decode(columns[3]);
            try (InputStream rgb = new InflaterInputStream(new ByteArrayInputStream(packed))) {
                expected.put(
                        columns[0],
                        new Pixels(Integer.parseInt(columns[1]), Integer.parseInt(columns[2]), rgb.readAllBytes()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return expected;
    }

    static byte[] file(String name) {
        try (InputStream file = Objects.requireNonNull(
                ExpectedPictures.class.getResourceAsStream("/photos/" + name), "no photos/" + name)) {
            return file.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
