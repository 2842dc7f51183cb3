package dev.arc2face.gateway.receipt;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.ReceiptKey;
import dev.arc2face.v1.ReceiptSignature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Signs receipts with Ed25519 (RFC 8032), where there is a key. Such a signature has nothing random in it: the same receipt
 * has the same one. Safe to use from any number of threads.
 */
public final class ReceiptSigner {
    private final Optional<PrivateKey> key;
    private final List<PublicKey> publicKeys;

    private ReceiptSigner(Optional<PrivateKey> key, List<PublicKey> publicKeys) {
        this.key = key;
        this.publicKeys = List.copyOf(publicKeys);
    }

    /**
     * A signer with these keys, PEM.
     *
     * @param signingKey PKCS#8; without it nothing is signed
     * @param publicKeys that of the signing key first, then those of earlier ones
     * @throws IllegalArgumentException where one cannot be read, or the first is not the signing key's
     */
    public static ReceiptSigner of(Optional<Path> signingKey, List<Path> publicKeys) {
        List<PublicKey> known = new ArrayList<>();
        for (Path file : publicKeys) {
            known.add(read(file, PublicKeys::parse));
        }
        Optional<PrivateKey> key = signingKey.map(file -> read(file, ReceiptSigner::privateKey));
        ReceiptSigner signer = new ReceiptSigner(key, known);
        if (key.isPresent() && !ReceiptSignatures.isValid(signer.sign(Receipt.getDefaultInstance()), known.get(0))) {
            throw new IllegalArgumentException(publicKeys.get(0) + " is not the public key of " + signingKey.get());
        }
        return signer;
    }

    private interface Parser<K> {
        K parse(String pem) throws GeneralSecurityException;
    }

    private static <K> K read(Path file, Parser<K> parser) {
        try {
            return parser.parse(Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no file " + file, e);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + file + ": " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(file + " is no Ed25519 key in PEM: " + e.getMessage(), e);
        }
    }

    private static PrivateKey privateKey(String pem) throws GeneralSecurityException {
        return KeyFactory.getInstance(PublicKeys.ALGORITHM)
                .generatePrivate(new PKCS8EncodedKeySpec(Pem.decode(pem, "PRIVATE KEY")));
    }

    /** The receipt with its signature, or as it is where there is no key. */
    public Receipt sign(Receipt receipt) {
        if (key.isEmpty()) {
            return receipt;
        }
        try {
            Signature signature = Signature.getInstance(PublicKeys.ALGORITHM);
            signature.initSign(key.get());
            signature.update(CanonicalReceipt.bytes(receipt));
            return receipt.toBuilder()
                    .setSignature(ReceiptSignature.newBuilder()
                            .setKeyId(PublicKeys.id(publicKeys.get(0)))
                            .setEd25519(ByteString.copyFrom(signature.sign())))
                    .build();
        } catch (InvalidKeyException e) {
            throw new IllegalArgumentException("the signing key is not Ed25519", e);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** What whoever checks signatures needs. */
    public List<ReceiptKey> publicKeys() {
        return publicKeys.stream()
                .map(known -> ReceiptKey.newBuilder()
                        .setKeyId(PublicKeys.id(known))
                        .setPublicKey(PublicKeys.text(known))
                        .build())
                .toList();
    }
}
