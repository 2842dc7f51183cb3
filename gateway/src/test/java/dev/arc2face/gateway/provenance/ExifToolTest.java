package dev.arc2face.gateway.provenance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ExifTool, which most other programs go by, reads in our pictures. */
class ExifToolTest {
    private static final Path EXIFTOOL = Path.of("/usr/bin/exiftool"); // Debian: libimage-exiftool-perl

    @ParameterizedTest
    @CsvSource({"PNG, PNG", "JPEG, JPEG", "WEBP, Extended WEBP"})
    void readsTheProvenanceFieldsAndFindsNoFault(ImageFormat format, String type, @TempDir Path folder)
            throws Exception {
        assumeTrue(Files.isExecutable(EXIFTOOL), "no exiftool; .ci/run installs it");
        byte[] rgb = new byte[40 * 30 * 3];
        new Random(1).nextBytes(rgb);
        Origin origin = new Origin("mini", "base", List.of(new Network("unet", "1", "0f12")));
        Path file = folder.resolve("picture." + format.name().toLowerCase(java.util.Locale.ROOT));
        Files.write(file, PictureEncoder.encode(new Pixels(40, 30, rgb), format, 92, XmpPacket.of(origin, "c0ffee")));

        JsonObject tags = exiftool(file);
        assertThat(text(tags, "File:FileType")).isEqualTo(type);
        assertThat(text(tags, "XMP-iptcExt:DigitalSourceType"))
                .isEqualTo("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia");
        assertThat(text(tags, "XMP-xmp:CreatorTool")).isEqualTo("Arc2Face model server");
        assertThat(text(tags, "XMP-iptcExt:AISystemUsed")).isEqualTo("Arc2Face, mini, base");
        assertThat(text(tags, "XMP-iptcExt:AISystemVersionUsed")).isEqualTo("unet 1 sha256:0f12");
        assertThat(text(tags, "XMP-iptcExt:DigitalImageGUID")).isEqualTo("c0ffee");
        assertThat(tags.keySet())
                .as("%s", tags)
                .noneMatch(tag -> tag.endsWith(":Error") || tag.endsWith(":Warning") || tag.contains("Date"));
    }

    private static String text(JsonObject tags, String tag) {
        assertThat(tags.keySet()).contains(tag);
        return tags.get(tag).getAsString();
    }

    private static JsonObject exiftool(Path file) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        EXIFTOOL.toString(),
                        "-json",
                        "-G1",
                        "-n",
                        "-validate",
                        "-warning",
                        "-error",
                        "-all:all",
                        "--System:all",
                        file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return JsonParser.parseString(printed).getAsJsonArray().get(0).getAsJsonObject();
    }
}
