package dev.arc2face.gateway.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.arc2face.gateway.dataset.Python;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EmbeddedXmpTest {
    private static final Pixels PICTURE =
            Objects.requireNonNull(ExpectedPictures.load().get("rgb.png"));
    private static final byte[] PACKET = "<?xpacket?> a packet of 27 by".getBytes(StandardCharsets.UTF_8); // odd

    private final PhotoDecoder decoder = new PhotoDecoder(1 << 20, 1 << 20);

    @ParameterizedTest
    @EnumSource
    void packetIsFoundAgainAndNoPixelIsTouched(ImageFormat format) {
        for (int length : new int[] {PACKET.length, PACKET.length - 1}) {
            byte[] packet = Arrays.copyOf(PACKET, length);
            byte[] plain = PictureEncoder.encode(PICTURE, format, 92);
            byte[] marked = PictureEncoder.encode(PICTURE, format, 92, packet);
            assertThat(EmbeddedXmp.find(marked).orElseThrow()).isEqualTo(packet);
            assertThat(EmbeddedXmp.find(plain)).isEmpty();
            assertThat(decoder.decode(marked).rgb())
                    .isEqualTo(decoder.decode(plain).rgb());
        }
    }

    @Test
    void pillowReadsPacketAndPixels(@TempDir Path folder) throws Exception {
        String script = Path.of("src/test/resources/pictures/pixels.py")
                .toAbsolutePath()
                .toString();
        List<String> arguments = new ArrayList<>(List.of(script));
        for (ImageFormat format : List.of(ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP)) {
            Path file = folder.resolve("picture." + format);
            Files.write(file, PictureEncoder.encode(PICTURE, format, 92, PACKET));
            arguments.add(file.toString());
        }
        List<String> seen = Python.run(arguments.toArray(String[]::new));
        assertThat(seen).hasSize(3).allSatisfy(line -> assertThat(line).endsWith(" " + PACKET.length));
        assertThat(seen.get(2)).as("both lossless").isEqualTo(seen.get(0));
    }

    @Test
    void jpegSegmentHasItsLimit() {
        byte[] largest = new byte[65533 - 29];
        assertThat(EmbeddedXmp.find(PictureEncoder.encode(PICTURE, ImageFormat.JPEG, 92, largest))
                        .orElseThrow())
                .isEqualTo(largest);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PictureEncoder.encode(PICTURE, ImageFormat.JPEG, 92, new byte[largest.length + 1]));
    }

    @ParameterizedTest
    @EnumSource
    void whateverIsCutOrDamagedIsSearchedInPeace(ImageFormat format) {
        byte[] marked = PictureEncoder.encode(PICTURE, format, 92, PACKET);
        for (int length = 0; length < Math.min(marked.length, 400); length++) {
            assertThat(EmbeddedXmp.find(Arrays.copyOf(marked, length)).map(found -> found.length))
                    .isIn(java.util.Optional.empty(), java.util.Optional.of(PACKET.length));
        }
        Random random = new Random(format.name().hashCode());
        for (int round = 0; round < 2000; round++) {
            byte[] damaged = marked.clone();
            for (int i = 0; i <= round % 4; i++) {
                damaged[random.nextInt(Math.min(marked.length, 300))] = (byte) random.nextInt();
            }
            EmbeddedXmp.find(damaged)
                    .ifPresent(found -> assertThat(found.length).isLessThan(marked.length));
        }
    }
}
