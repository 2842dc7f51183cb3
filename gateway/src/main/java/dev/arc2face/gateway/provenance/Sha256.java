package dev.arc2face.gateway.provenance;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256. */
public final class Sha256 {
    private Sha256() {}

    /** The hash of these, one after the other, in lower-case hex. */
    public static String of(byte[]... parts) {
        return HexFormat.of().formatHex(bytesOf(parts));
    }

    /** The 32 bytes of that hash. */
    public static byte[] bytesOf(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
