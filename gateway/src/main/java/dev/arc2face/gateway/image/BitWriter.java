package dev.arc2face.gateway.image;

import java.util.Arrays;

/** Bits, the first one the lowest of the first byte, as a lossless WebP has them. */
final class BitWriter {
    private byte[] bytes = new byte[1 << 12];
    private int length;
    private long pending;
    private int pendingBits; // fewer than 8 between calls

    /** @param count at most 32 */
    void write(int value, int count) {
        pending |= (value & 0xffff_ffffL & ((1L << count) - 1)) << pendingBits;
        pendingBits += count;
        while (pendingBits >= Byte.SIZE) {
            append((byte) pending);
            pending >>>= Byte.SIZE;
            pendingBits -= Byte.SIZE;
        }
    }

    /** All that was written; the last byte is filled up with zeros. */
    byte[] toByteArray() {
        write(0, -pendingBits & 7);
        return Arrays.copyOf(bytes, length);
    }

    private void append(byte next) {
        if (length == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * length);
        }
        bytes[length++] = next;
    }
}
