package dev.arc2face.gateway.receipt;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.IdentityBinding;
import dev.arc2face.v1.IdentityKind;
import dev.arc2face.v1.IdentitySource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key that receipts are bound to their photo with. Who has no key learns nothing from a binding: not who it is, and, as
 * the request is in it, not whether two receipts of different requests are of one photo. Who has the key can tell whether
 * a photo is the one, and no more. Safe to use from any number of threads.
 */
public final class IdentityKey {
    private static final String MAC = "HmacSHA256";
    private static final int LEAST_BYTES = 32;
    private static final int ID_DIGITS = 16;

    private final SecretKeySpec key;
    private final boolean ephemeral;

    private IdentityKey(byte[] secret, boolean ephemeral) {
        this.key = new SecretKeySpec(secret, MAC);
        this.ephemeral = ephemeral;
    }

    /**
     * The key of this file, or one that ends with this process.
     *
     * @param file at least 32 bytes, those of the last line's end not counted
     */
    public static IdentityKey of(Optional<Path> file) {
        if (file.isPresent()) {
            return new IdentityKey(read(file.get()), false);
        }
        byte[] secret = new byte[LEAST_BYTES];
        new SecureRandom().nextBytes(secret);
        return new IdentityKey(secret, true);
    }

    private static byte[] read(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + file + ": " + e.getMessage(), e);
        }
        int length = bytes.length;
        while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
            length--;
        }
        if (length < LEAST_BYTES) {
            throw new IllegalArgumentException(
                    file + " has " + length + " bytes: a key has " + LEAST_BYTES + " or more");
        }
        return Arrays.copyOf(bytes, length);
    }

    /** Whether it was made by this process, and ends with it. */
    public boolean isEphemeral() {
        return ephemeral;
    }

    /** Its name, from which it cannot be told. */
    public String id() {
        return mac("arc2face key id".getBytes(UTF_8)).substring(0, ID_DIGITS);
    }

    /** Binds a request's receipt to the identity that it brought. */
    public IdentityBinding bind(Accepted request, IdentitySource identity) {
        byte[] asked = asked(request).toByteArray();
        return IdentityBinding.newBuilder()
                .setKind(kind(identity))
                .setHmacSha256(mac(
                        "arc2face identity 1\n".getBytes(UTF_8),
                        ByteBuffer.allocate(Integer.BYTES).putInt(asked.length).array(),
                        asked,
                        shown(identity).toByteArray()))
                .setKeyId(id())
                .setEphemeralKey(ephemeral)
                .build();
    }

    /** What makes a request the same one, whatever it is called and whoever looks on. */
    static Accepted asked(Accepted request) {
        return request.toBuilder().clearRequestId().clearPreviewEvery().build();
    }

    /** Without the shares of an interpolation, which are in the request, one for each portrait. */
    private static IdentitySource shown(IdentitySource identity) {
        if (!identity.hasInterpolation()) {
            return identity;
        }
        return identity.toBuilder()
                .setInterpolation(identity.getInterpolation().toBuilder().clearT())
                .build();
    }

    private static IdentityKind kind(IdentitySource identity) {
        IdentityKind.Builder kind = IdentityKind.newBuilder()
                .setKind(identity.getSourceCase().name().toLowerCase(Locale.ROOT));
        if (identity.hasFaceIndex()) {
            kind.setFaceIndex(identity.getFaceIndex());
        }
        if (identity.hasInterpolation()) {
            kind.addSources(kind(identity.getInterpolation().getFirst()))
                    .addSources(kind(identity.getInterpolation().getSecond()));
        }
        identity.getAverage().getSourcesList().forEach(source -> kind.addSources(kind(source)));
        return kind.build();
    }

    private String mac(byte[]... parts) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            for (byte[] part : parts) {
                mac.update(part);
            }
            return HexFormat.of().formatHex(mac.doFinal());
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
