package dev.arc2face.gateway.receipt;

import dev.arc2face.gateway.provenance.Sha256;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Pattern;

/** Ed25519 public keys (RFC 8410) as text. */
public final class PublicKeys {
    static final String ALGORITHM = "Ed25519";
    private static final int ID_DIGITS = 16;
    private static final Pattern ID = Pattern.compile("[0-9a-f]{" + ID_DIGITS + "}");

    private PublicKeys() {}

    /**
     * Reads a key.
     *
     * @throws GeneralSecurityException where it is none
     */
    public static PublicKey parse(String pem) throws GeneralSecurityException {
        return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(Pem.decode(pem, "PUBLIC KEY")));
    }

    /** As {@code openssl pkey -pubout} writes it. */
    static String text(PublicKey key) {
        return "-----BEGIN PUBLIC KEY-----\n" + Base64.getEncoder().encodeToString(key.getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    /** The name of a key: the first 16 digits of the SHA-256 of its DER form. */
    public static String id(PublicKey key) {
        return Sha256.of(key.getEncoded()).substring(0, ID_DIGITS);
    }

    /** Whether it may be the name of a key. */
    static boolean isId(String text) {
        return ID.matcher(text).matches();
    }
}
