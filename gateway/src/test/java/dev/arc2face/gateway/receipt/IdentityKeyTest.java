package dev.arc2face.gateway.receipt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.dataset.Python;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.Average;
import dev.arc2face.v1.IdentityBinding;
import dev.arc2face.v1.IdentityKind;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.Interpolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentityKeyTest {
    private static final String SECRET = "0123456789abcdefghijklmnopqrstuv";
    private static final Accepted REQUEST =
            Accepted.newBuilder().setVariant("base").setSteps(4).addSeeds(1).build();

    @TempDir
    private Path folder;

    private IdentityKey key;

    @BeforeEach
    void readKey() throws IOException {
        key = IdentityKey.of(Optional.of(Files.writeString(folder.resolve("key"), SECRET + "\n")));
    }

    @Test
    void bindingIsWhatPythonMakesOfTheDocumentation() {
        String program = """
                import hashlib, hmac, struct, sys
                key, request, identity = sys.argv[1].encode(), *map(bytes.fromhex, sys.argv[2:])
                text = b'arc2face identity 1\\n' + struct.pack('>I', len(request)) + request + identity
                print(hmac.new(key, text, hashlib.sha256).hexdigest())
                """;
        IdentitySource photo = photo("a photo", 2);
        HexFormat hex = HexFormat.of();
        assertThat(Python.run(
                        "-c",
                        program,
                        SECRET,
                        hex.formatHex(REQUEST.toByteArray()),
                        hex.formatHex(photo.toByteArray())))
                .containsExactly(key.bind(REQUEST, photo).getHmacSha256());
    }

    @Test
    void anotherPhotoFaceRequestOrKeyIsAnotherBinding() {
        IdentityBinding binding = key.bind(REQUEST, photo("a photo", 0));
        assertThat(binding.getKind())
                .isEqualTo(IdentityKind.newBuilder()
                        .setKind("photo")
                        .setFaceIndex(0)
                        .build());
        assertThat(binding.getEphemeralKey()).isFalse();
        assertThat(java.util.List.of(
                        key.bind(REQUEST, photo("b photo", 0)).getHmacSha256(),
                        key.bind(REQUEST, photo("a photo", 1)).getHmacSha256(),
                        key.bind(REQUEST.toBuilder().addSeeds(2).build(), photo("a photo", 0))
                                .getHmacSha256(),
                        IdentityKey.of(Optional.empty())
                                .bind(REQUEST, photo("a photo", 0))
                                .getHmacSha256()))
                .doesNotContain(binding.getHmacSha256())
                .doesNotHaveDuplicates();
    }

    @Test
    void theSameRequestByAnotherNameHasTheSameBinding() {
        Accepted called =
                REQUEST.toBuilder().setRequestId("mine").setPreviewEvery(5).build();
        assertThat(key.bind(called, photo("a photo", 0))).isEqualTo(key.bind(REQUEST, photo("a photo", 0)));

        Interpolation.Builder between =
                Interpolation.newBuilder().setFirst(photo("a", 0)).setSecond(photo("b", 0));
        IdentitySource one = IdentitySource.newBuilder()
                .setInterpolation(between.clone().addT(0.5f))
                .build();
        IdentitySource each = IdentitySource.newBuilder()
                .setInterpolation(between.addT(0.5f).addT(0.5f))
                .build();
        assertThat(key.bind(REQUEST, one)).as("one share for all").isEqualTo(key.bind(REQUEST, each));
    }

    @Test
    void kindSaysHowItWasMadeUpAndNothingOfTheBytes() {
        IdentitySource average = IdentitySource.newBuilder()
                .setAverage(Average.newBuilder().addSources(photo("a", 0)).addSources(photo("b", 0)))
                .build();
        IdentityBinding binding = key.bind(REQUEST, average);
        assertThat(binding.getKind().getSourcesList())
                .extracting(IdentityKind::getKind)
                .containsExactly("photo", "photo");
        assertThat(binding.toByteString().size()).isLessThan(200);
    }

    @Test
    void keysAreLongAndOneOfAProcessSaysSo() throws IOException {
        Path tooShort = Files.writeString(folder.resolve("short"), SECRET.substring(1) + "\n\n");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> IdentityKey.of(Optional.of(tooShort)))
                .withMessageContaining("31 bytes");
        IdentityKey made = IdentityKey.of(Optional.empty());
        assertThat(made.isEphemeral()).isTrue();
        assertThat(made.bind(REQUEST, photo("a", 0)).getEphemeralKey()).isTrue();
        assertThat(made.id())
                .hasSize(16)
                .isNotEqualTo(key.id())
                .isNotEqualTo(IdentityKey.of(Optional.empty()).id());
    }

    private static IdentitySource photo(String content, int face) {
        return IdentitySource.newBuilder()
                .setPhoto(ByteString.copyFromUtf8(content))
                .setFaceIndex(face)
                .build();
    }
}
