package dev.arc2face.gateway.dataset;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256: names of contents, and seeds that have nothing to do with each other. */
public final class Hashes {
    private Hashes() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException absent) {
            throw new IllegalStateException("every JDK has SHA-256", absent);
        }
    }

    /** Lower-case hex. */
    static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The hash of some bytes in lower-case hex. */
    public static String sha256(byte[] content) {
        MessageDigest digest = sha256();
        digest.update(content);
        return hex(digest);
    }

    /** The seed, a uint32, of one thing among the many that a data set's seed decides. */
    static int seed(String what, long datasetSeed, long... which) {
        StringBuilder name = new StringBuilder(what).append(' ').append(datasetSeed);
        for (long number : which) {
            name.append(' ').append(number);
        }
        byte[] hash = sha256().digest(name.toString().getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.wrap(hash).getInt();
    }
}
