package dev.arc2face.gateway.receipt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.v1.Receipt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenSSL makes the keys and checks the signatures. */
class ReceiptSignerTest {
    @TempDir
    private Path folder;

    private Keys keys;

    @BeforeEach
    void makeKeys() {
        keys = Keys.in(folder);
    }

    @Test
    void opensslAcceptsTheSignatureOfThisReceiptAndOfNoOther() throws IOException {
        Receipt signed = keys.signer().sign(OnePicture.of(ImageFormat.PNG));
        Path signature = Files.write(
                folder.resolve("signature"), signed.getSignature().getEd25519().toByteArray());
        Path content = Files.write(folder.resolve("content"), CanonicalReceipt.bytes(signed));
        assertThat(verify(content, signature)).contains("Signature Verified Successfully");
        assertThat(ReceiptSignatures.isValid(signed, keys.publicKey())).isTrue();

        Receipt other = signed.toBuilder().setProfile("arc2face").build();
        Files.write(content, CanonicalReceipt.bytes(other));
        assertThatThrownBy(() -> verify(content, signature)).hasMessageContaining("Verification Failure");
        assertThat(ReceiptSignatures.isValid(other, keys.publicKey())).isFalse();
        assertThat(ReceiptSignatures.isValid(signed.toBuilder().clearSignature().build(), keys.publicKey()))
                .isFalse();
    }

    private String verify(Path content, Path signature) {
        return Keys.openssl(
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                keys.publicKeyFile().toString(),
                "-rawin",
                "-in",
                content.toString(),
                "-sigfile",
                signature.toString());
    }

    @Test
    void theSameReceiptHasTheSameSignatureAndTheKeyIsTold() throws IOException {
        ReceiptSigner signer = keys.signer();
        Receipt receipt = OnePicture.of(ImageFormat.JPEG);
        assertThat(signer.sign(receipt)).isEqualTo(keys.signer().sign(receipt));
        assertThat(signer.publicKeys()).hasSize(1);
        assertThat(signer.publicKeys().get(0).getPublicKey()).isEqualTo(Files.readString(keys.publicKeyFile()));
        assertThat(signer.publicKeys().get(0).getKeyId())
                .isEqualTo(signer.sign(receipt).getSignature().getKeyId())
                .hasSize(16);
    }

    @Test
    void withoutAKeyNothingIsSigned() {
        ReceiptSigner signer = ReceiptSigner.of(Optional.empty(), List.of());
        assertThat(signer.sign(OnePicture.of(ImageFormat.PNG))).isEqualTo(OnePicture.of(ImageFormat.PNG));
        assertThat(signer.publicKeys()).isEmpty();
    }

    @Test
    void keysThatAreNoneOrDoNotBelongTogetherAreRefused() throws IOException {
        Keys other = Keys.in(folder.resolve("other"));
        Path text = Files.writeString(folder.resolve("text.pem"), "no key");
        Path rsa = folder.resolve("rsa.pem");
        Keys.openssl("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa.toString());
        for (Path signing : List.of(text, rsa, folder.resolve("absent.pem"))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ReceiptSigner.of(Optional.of(signing), List.of(keys.publicKeyFile())))
                    .withMessageContaining(signing.toString());
        }
        for (Path absent : List.of(folder.resolve("absent.pem"), folder)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ReceiptSigner.of(Optional.empty(), List.of(absent)))
                    .withMessageMatching("there is no file .*|cannot read .*");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReceiptSigner.of(Optional.of(keys.signing()), List.of(other.publicKeyFile())))
                .withMessageContaining("is not the public key of");
    }
}
