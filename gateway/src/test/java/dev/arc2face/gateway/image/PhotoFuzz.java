package dev.arc2face.gateway.image;

import static dev.arc2face.gateway.ErrorReason.IMAGE_DECODE_FAILED;
import static dev.arc2face.gateway.ErrorReason.IMAGE_TOO_LARGE;
import static dev.arc2face.gateway.ErrorReason.UNSUPPORTED_IMAGE_FORMAT;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.zip.CRC32;

/** Any bytes are a photo within its budget, or one of three refusals. */
public final class PhotoFuzz {
    private static final int MAX_PIXELS = 1 << 16;
    private static final Set<ErrorReason> REFUSALS =
            Set.of(IMAGE_DECODE_FAILED, IMAGE_TOO_LARGE, UNSUPPORTED_IMAGE_FORMAT);
    private static final PhotoDecoder DECODER = new PhotoDecoder(1 << 16, MAX_PIXELS);

    private PhotoFuzz() {}

    public static void fuzzerTestOneInput(byte[] photo) {
        decode(photo);
        if (PngContainer.isPng(photo)) {
            decode(withChecksums(photo)); // or nothing but its header would ever be read
        }
    }

    private static void decode(byte[] photo) {
        try {
            Pixels pixels = DECODER.decode(photo);
            if (pixels.width() * pixels.height() > MAX_PIXELS) {
                throw new AssertionError(pixels.width() + "x" + pixels.height());
            }
        } catch (FailureException refusal) {
            if (!REFUSALS.contains(refusal.reason())) {
                throw new AssertionError(refusal);
            }
        }
    }

    private static byte[] withChecksums(byte[] png) {
        ByteBuffer file = ByteBuffer.wrap(png.clone());
        int chunk = 8;
        while (chunk <= file.limit() - 12) {
            int length = file.getInt(chunk);
            if (length < 0 || length > file.limit() - 12 - chunk) {
                break;
            }
            CRC32 sum = new CRC32();
            sum.update(file.slice(chunk + 4, length + 4));
            file.putInt(chunk + 8 + length, (int) sum.getValue());
            chunk += length + 12;
        }
        return file.array();
    }
}
