package dev.arc2face.gateway.receipt;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.receipt.PictureCheck.Finding;
import dev.arc2face.gateway.receipt.PictureCheck.Verdict;
import dev.arc2face.v1.Receipt;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PictureCheckTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void aPictureAndItsReceiptHold(ImageFormat format) {
        List<Finding> findings = PictureCheck.check(OnePicture.file(format), OnePicture.of(format), Optional.empty());
        assertThat(findings).extracting(Finding::verdict).doesNotContain(Verdict.BROKEN);
        assertThat(findings)
                .extracting(Finding::sentence)
                .contains("the receipt is whole", "the file is that of picture 0, seed 7")
                .contains("the receipt is not signed: anybody may have written it");
    }

    @ParameterizedTest
    @EnumSource
    void everyChangedByteOfAFileIsNoticed(ImageFormat format) {
        Receipt receipt = OnePicture.of(format);
        byte[] file = OnePicture.file(format);
        for (int i = 0; i < file.length; i += 7) {
            byte[] changed = file.clone();
            changed[i] ^= 1;
            assertThat(broken(changed, receipt, Optional.empty()))
                    .as("byte %d", i)
                    .isNotEmpty();
        }
    }

    @Test
    void aChangedPixelIsToldFromAFileThatWasWrittenAnew() {
        Receipt receipt = OnePicture.of(ImageFormat.PNG);
        byte[] anew = PictureEncoder.encode(OnePicture.PIXELS, ImageFormat.WEBP, 0);
        assertThat(broken(anew, receipt, Optional.empty())).contains("its pixels are the same");

        byte[] rgb = OnePicture.PIXELS.rgb().clone();
        rgb[100] ^= 1;
        Pixels retouched = new Pixels(OnePicture.PIXELS.width(), OnePicture.PIXELS.height(), rgb);
        byte[] packet = dev.arc2face.gateway.image.EmbeddedXmp.find(OnePicture.file(ImageFormat.PNG))
                .orElseThrow();
        assertThat(broken(PictureEncoder.encode(retouched, ImageFormat.PNG, 0, packet), receipt, Optional.empty()))
                .contains("says that it is picture 0, seed 7, but was changed");
        assertThat(broken(PictureEncoder.encode(retouched, ImageFormat.PNG, 0), receipt, Optional.empty()))
                .isEqualTo("the file is none of the receipt's pictures");
        assertThat(broken(new byte[3], receipt, Optional.empty()))
                .isEqualTo("the file is none of the receipt's pictures");
    }

    @Test
    void aChangedReceiptIsNoticedAndAForgedOneNeedsTheKey() {
        Keys keys = Keys.in(folder);
        byte[] file = OnePicture.file(ImageFormat.PNG);
        Receipt signed = keys.signer().sign(OnePicture.of(ImageFormat.PNG));
        Optional<PublicKey> key = Optional.of(keys.publicKey());
        assertThat(broken(file, signed, key)).isEmpty();

        Receipt.Builder changed = signed.toBuilder();
        changed.getRequestBuilder().setSteps(13);
        assertThat(broken(file, changed.build(), key)).contains("the receipt was changed", "is not signed with key");
        Receipt forged =
                changed.setReceiptId(CanonicalReceipt.id(changed.build())).build();
        assertThat(broken(file, forged, Optional.empty())).as("nobody can tell").isEmpty();
        assertThat(broken(file, forged, key)).contains("is not signed with key");
        assertThat(broken(file, signed.toBuilder().clearSignature().build(), key))
                .contains("is not signed");
        assertThat(broken(
                        file,
                        signed,
                        Optional.of(Keys.in(folder.resolve("other")).publicKey())))
                .contains("is not signed with key");
    }

    @Test
    void theNameOfAKeyIsRepeatedOnlyIfItIsOne() {
        Receipt.Builder signed = Keys.in(folder).signer().sign(OnePicture.of(ImageFormat.PNG)).toBuilder();
        String name = signed.getSignature().getKeyId();
        assertThat(PictureCheck.signature(signed.build(), Optional.empty()).sentence())
                .isEqualTo("the receipt says that key " + name + " signed it; not checked");

        signed.getSignatureBuilder().setKeyId(name + "\u001b[2K\ryes  the receipt is signed with key " + name);
        assertThat(PictureCheck.signature(signed.build(), Optional.empty()).sentence())
                .isEqualTo("the receipt says that a key of no valid name signed it; not checked");
    }

    @Test
    void aReceiptThatSaysOtherModelsIsNotThatOfThePicture() {
        Receipt.Builder other = OnePicture.of(ImageFormat.PNG).toBuilder();
        other.getModelsBuilder(2).setSha256("a2");
        Receipt receipt = other.setReceiptId(CanonicalReceipt.id(other.build())).build();
        assertThat(broken(OnePicture.file(ImageFormat.PNG), receipt, Optional.empty()))
                .isEqualTo("its id is not that of what the receipt says it came from");
    }

    private static String broken(byte[] file, Receipt receipt, Optional<PublicKey> key) {
        return PictureCheck.check(file, receipt, key).stream()
                .filter(finding -> finding.verdict() == Verdict.BROKEN)
                .map(Finding::sentence)
                .collect(joining("; "));
    }
}
