package dev.arc2face.gateway.image;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * PNG (ISO/IEC 15948) for pictures like photos: 8-bit RGB, every row by the filter Average, and no search for repeated
 * strings, since what the filter leaves of a photo has hardly any. The JDK's writer searches and does not filter: its
 * files of photos are larger by a third and take more than twice the time, but those of flat colours are smaller: here
 * no byte takes less than a bit.
 */
final class PngWriter {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int HEADER_BYTES = 13;
    private static final int CHUNK_BYTES = 12; // of a chunk beside its content
    private static final byte BITS = 8;
    private static final byte RGB = 2;
    private static final byte AVERAGE = 3;
    private static final int CHANNELS = 3;

    private PngWriter() {}

    static byte[] write(Pixels picture) {
        byte[] header = ByteBuffer.allocate(HEADER_BYTES)
                .putInt(picture.width())
                .putInt(picture.height())
                .put(BITS)
                .put(RGB)
                .array(); // then zeros: the only compression, the only filtering, no interlacing
        byte[] content = deflate(filter(picture));
        ByteBuffer file = ByteBuffer.allocate(SIGNATURE.length + 3 * CHUNK_BYTES + HEADER_BYTES + content.length);
        file.put(SIGNATURE);
        putChunk(file, "IHDR", header);
        putChunk(file, "IDAT", content);
        putChunk(file, "IEND", new byte[0]);
        return file.array();
    }

    /** Of each row its filter and, of each of its bytes, by how much it differs from the mean of those left and above. */
    private static byte[] filter(Pixels picture) {
        byte[] rgb = picture.rgb();
        int stride = picture.width() * CHANNELS;
        byte[] filtered = new byte[picture.height() * (1 + stride)];
        byte[] above = new byte[stride]; // of the first row, zeros
        byte[] row = new byte[stride];
        int target = 0;
        for (int start = 0; start < rgb.length; start += stride) {
            System.arraycopy(rgb, start, row, 0, stride);
            filtered[target++] = AVERAGE;
            for (int i = 0; i < CHANNELS; i++) {
                filtered[target++] = (byte) (row[i] - ((above[i] & 0xff) >> 1));
            }
            for (int i = CHANNELS; i < stride; i++) {
                int mean = ((row[i - CHANNELS] & 0xff) + (above[i] & 0xff)) >> 1;
                filtered[target++] = (byte) (row[i] - mean);
            }
            byte[] free = above;
            above = row;
            row = free;
        }
        return filtered;
    }

    private static byte[] deflate(byte[] content) {
        Deflater deflater = new Deflater();
        try {
            deflater.setStrategy(Deflater.HUFFMAN_ONLY);
            deflater.setInput(content);
            deflater.finish();
            byte[] deflated = new byte[content.length / 2 + 1024];
            int length = 0;
            while (!deflater.finished()) {
                if (length == deflated.length) {
                    deflated = Arrays.copyOf(deflated, 2 * length);
                }
                length += deflater.deflate(deflated, length, deflated.length - length);
            }
            return Arrays.copyOf(deflated, length);
        } finally {
            deflater.end();
        }
    }

    /** Its length, name, content, and the checksum of the latter two. */
    private static void putChunk(ByteBuffer file, String name, byte[] content) {
        byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
        CRC32 checksum = new CRC32();
        checksum.update(ascii);
        checksum.update(content);
        file.putInt(content.length).put(ascii).put(content).putInt((int) checksum.getValue());
    }
}
