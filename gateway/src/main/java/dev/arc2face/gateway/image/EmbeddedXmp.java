package dev.arc2face.gateway.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * An XMP packet in a picture's file, where the XMP specification (part 3, storage in files) and RFC 9649 have it: an APP1
 * segment of a JPEG, an iTXt chunk of a PNG, an XMP chunk of a WebP. No pixel is touched.
 */
public final class EmbeddedXmp {
    private static final byte[] JPEG_HEADER = ascii("http://ns.adobe.com/xap/1.0/\0");
    /** Keyword; not compressed, by no method; no language, no translated keyword. */
    private static final byte[] PNG_HEADER = ascii("XML:com.adobe.xmp\0\0\0\0\0");

    private static final int MAX_SEGMENT = 0xffff - 2;
    private static final int PNG_HEAD = 8 + 12 + 13; // signature and header chunk
    private static final int RIFF_HEAD = 12;
    private static final int CHUNK_HEAD = 8;
    private static final int XMP_FLAG = 1 << 2;

    private EmbeddedXmp() {}

    /**
     * The file with the packet in it.
     *
     * @param file as {@link PictureEncoder} makes it
     */
    static byte[] embed(byte[] file, ImageFormat format, byte[] packet) {
        return switch (format) {
            case JPEG -> intoJpeg(file, packet);
            case PNG -> intoPng(file, packet);
            case WEBP -> intoWebp(file, packet);
        };
    }

    /** After the JFIF segment, which must be the first one. */
    private static byte[] intoJpeg(byte[] file, byte[] packet) {
        int length = JPEG_HEADER.length + packet.length;
        if (length > MAX_SEGMENT) {
            throw new IllegalArgumentException("an XMP packet of " + packet.length + " bytes is larger than a segment");
        }
        int jfif = 2 + 2 + u16(file, 4);
        ByteBuffer segment = ByteBuffer.allocate(4 + length);
        segment.putShort((short) 0xffe1).putShort((short) (length + 2));
        return inserted(file, jfif, segment.put(JPEG_HEADER).put(packet).array());
    }

    /** Before the pixels, where readers of the file's beginning find it. */
    private static byte[] intoPng(byte[] file, byte[] packet) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + PNG_HEADER.length + packet.length);
        chunk.putInt(PNG_HEADER.length + packet.length)
                .put(ascii("iTXt"))
                .put(PNG_HEADER)
                .put(packet);
        CRC32 sum = new CRC32();
        sum.update(chunk.array(), 4, chunk.position() - 4);
        return inserted(file, PNG_HEAD, chunk.putInt((int) sum.getValue()).array());
    }

    /** The simple format has no metadata: the extended one has a canvas of the picture's size, and it after the picture. */
    private static byte[] intoWebp(byte[] file, byte[] packet) {
        ByteBuffer picture = ByteBuffer.wrap(file, RIFF_HEAD, file.length - RIFF_HEAD)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN);
        int size = picture.getInt(CHUNK_HEAD + 1); // 14 bits of width and 14 of height, after the signature
        int padding = packet.length & 1;
        int length = CHUNK_HEAD + 10 + picture.limit() + CHUNK_HEAD + packet.length + padding;
        ByteBuffer extended = ByteBuffer.allocate(RIFF_HEAD + length).order(ByteOrder.LITTLE_ENDIAN);
        extended.put(ascii("RIFF")).putInt(4 + length).put(ascii("WEBP"));
        extended.put(ascii("VP8X")).putInt(10).putInt(XMP_FLAG);
        putU24(extended, size & 0x3fff);
        putU24(extended, size >> 14 & 0x3fff);
        extended.put(picture);
        extended.put(ascii("XMP ")).putInt(packet.length).put(packet);
        return extended.array();
    }

    private static byte[] inserted(byte[] file, int position, byte[] part) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream(file.length + part.length);
        whole.write(file, 0, position);
        whole.writeBytes(part);
        whole.write(file, position, file.length - position);
        return whole.toByteArray();
    }

    /** The first packet of a file that anybody may have made; empty where there is none, or none that can be found. */
    public static Optional<byte[]> find(byte[] file) {
        if (JpegContainer.isJpeg(file)) {
            return findInJpeg(file);
        }
        if (PngContainer.isPng(file)) {
            return findInPng(file);
        }
        return WebpContainer.isWebp(file) ? findInWebp(file) : Optional.empty();
    }

    private static Optional<byte[]> findInJpeg(byte[] file) {
        int position = 2;
        while (position + 4 <= file.length && file[position] == (byte) 0xff) {
            int marker = file[position + 1] & 0xff;
            int end = position + 2 + u16(file, position + 2);
            boolean isPicture = marker == 0xda;
            if (isPicture || end > file.length || end < position + 4) {
                return Optional.empty();
            }
            if (marker == 0xe1 && startsWith(JPEG_HEADER, file, position + 4, end)) {
                return Optional.of(Arrays.copyOfRange(file, position + 4 + JPEG_HEADER.length, end));
            }
            position = end;
        }
        return Optional.empty();
    }

    private static Optional<byte[]> findInPng(byte[] file) {
        ByteBuffer chunks = ByteBuffer.wrap(file);
        long position = 8;
        while (position + 12 <= file.length) {
            int body = (int) position + 8;
            long end = body + Integer.toUnsignedLong(chunks.getInt((int) position));
            if (end + 4 > file.length) {
                return Optional.empty();
            }
            if (startsWith(ascii("iTXt"), file, body - 4, body) && startsWith(PNG_HEADER, file, body, (int) end)) {
                return Optional.of(Arrays.copyOfRange(file, body + PNG_HEADER.length, (int) end));
            }
            position = end + 4;
        }
        return Optional.empty();
    }

    private static Optional<byte[]> findInWebp(byte[] file) {
        ByteBuffer chunks = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        long position = RIFF_HEAD;
        while (position + CHUNK_HEAD <= file.length) {
            int body = (int) position + CHUNK_HEAD;
            long end = body + Integer.toUnsignedLong(chunks.getInt(body - 4));
            if (end > file.length) {
                return Optional.empty();
            }
            if (startsWith(ascii("XMP "), file, body - CHUNK_HEAD, body)) {
                return Optional.of(Arrays.copyOfRange(file, body, (int) end));
            }
            position = end + (end & 1);
        }
        return Optional.empty();
    }

    private static boolean startsWith(byte[] prefix, byte[] file, int start, int end) {
        return end - start >= prefix.length
                && Arrays.equals(file, start, start + prefix.length, prefix, 0, prefix.length);
    }

    private static int u16(byte[] file, int position) {
        return (file[position] & 0xff) << 8 | (file[position + 1] & 0xff);
    }

    private static void putU24(ByteBuffer buffer, int value) {
        buffer.put((byte) value).put((byte) (value >> 8)).put((byte) (value >> 16));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
