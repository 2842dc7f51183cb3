package dev.arc2face.gateway.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Pixels to a lossless WebP (RFC 9649): green subtracted, each block of pixels predicted in the way that leaves least of
 * it, repetitions of what is left or above copied, the rest in prefix codes. Java has no writer of WebP but by native
 * libraries, a build for each platform. The same pixels give the same bytes on every machine.
 */
final class LosslessWebp {
    private static final int MAX_SIDE = 1 << 14;
    private static final int SIGNATURE = 0x2f;

    private static final int PREDICT = 0; // the transforms' numbers
    private static final int SUBTRACT_GREEN = 2;
    private static final int BLOCK_BITS = 4; // prediction is chosen for each 16x16 pixels

    private static final int LITERALS = 256;
    private static final int LENGTHS = 24;
    private static final int DISTANCES = 40;
    /** A shorter copy may take more bits than the pixels themselves. */
    private static final int MIN_COPY = 4;

    private static final int MAX_COPY = 4096;
    private static final int COPY_ABOVE = 0; // distance symbols: the pixel above, the pixel left of it
    private static final int COPY_LEFT = 1;

    private final int width;
    private final int height;
    private final BitWriter bits = new BitWriter();

    private LosslessWebp(int width, int height) {
        this.width = width;
        this.height = height;
    }

    /** A whole file of the simple format: a RIFF header and one chunk. */
    static byte[] encode(Pixels picture) {
        if (picture.width() > MAX_SIDE || picture.height() > MAX_SIDE) {
            throw new IllegalArgumentException("a WebP has no " + picture.width() + "x" + picture.height()
                    + " pixels: at most " + MAX_SIDE + " a side");
        }
        byte[] bitstream = new LosslessWebp(picture.width(), picture.height()).bitstream(picture.rgb());
        ByteArrayOutputStream file = new ByteArrayOutputStream(bitstream.length + 21);
        ByteBuffer header = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
        int padded = bitstream.length + (bitstream.length & 1);
        header.put(ascii("RIFF")).putInt(12 + padded).put(ascii("WEBP"));
        header.put(ascii("VP8L")).putInt(bitstream.length);
        file.writeBytes(header.array());
        file.writeBytes(bitstream);
        file.writeBytes(new byte[padded - bitstream.length]);
        return file.toByteArray();
    }

    private byte[] bitstream(byte[] rgb) {
        bits.write(SIGNATURE, 8);
        bits.write(width - 1, 14);
        bits.write(height - 1, 14);
        bits.write(0, 1); // no opacities
        bits.write(0, 3); // version
        int[] pixels = withoutGreen(rgb);
        bits.write(1, 1);
        bits.write(SUBTRACT_GREEN, 2);
        int[] modes = modes(pixels);
        bits.write(1, 1);
        bits.write(PREDICT, 2);
        bits.write(BLOCK_BITS - 2, 3);
        writeImage(packed(modes), blocks(width), false);
        bits.write(0, 1); // no further transform
        writeImage(differences(pixels, modes), width, true);
        return bits.toByteArray();
    }

    /** As ARGB, the green of each pixel taken from its red and blue. */
    private static int[] withoutGreen(byte[] rgb) {
        int[] pixels = new int[rgb.length / 3];
        for (int i = 0; i < pixels.length; i++) {
            int green = rgb[3 * i + 1] & 0xff;
            int red = (rgb[3 * i] - green) & 0xff;
            int blue = (rgb[3 * i + 2] - green) & 0xff;
            pixels[i] = 0xff << 24 | red << 16 | green << 8 | blue;
        }
        return pixels;
    }

    private static int blocks(int size) {
        return (size + (1 << BLOCK_BITS) - 1) >> BLOCK_BITS;
    }

    /** For each block the mode whose differences are smallest, the first one of equals. */
    private int[] modes(int[] pixels) {
        int[] modes = new int[blocks(width) * blocks(height)];
        for (int block = 0; block < modes.length; block++) {
            int left = (block % blocks(width)) << BLOCK_BITS;
            int top = (block / blocks(width)) << BLOCK_BITS;
            long least = Long.MAX_VALUE;
            for (int mode = 0; mode < Predictor.MODES; mode++) {
                long cost = cost(mode, pixels, left, top);
                if (cost < least) {
                    least = cost;
                    modes[block] = mode;
                }
            }
        }
        return modes;
    }

    private long cost(int mode, int[] pixels, int left, int top) {
        int right = Math.min(width, left + (1 << BLOCK_BITS));
        int bottom = Math.min(height, top + (1 << BLOCK_BITS));
        long cost = 0;
        for (int y = Math.max(1, top); y < bottom; y++) {
            for (int x = Math.max(1, left); x < right; x++) {
                int i = y * width + x;
                int difference = Predictor.subtract(pixels[i], Predictor.predict(mode, pixels, i, width));
                cost += Math.abs((byte) (difference >> 16));
                cost += Math.abs((byte) (difference >> 8));
                cost += Math.abs((byte) difference);
            }
        }
        return cost;
    }

    /** Small numbers as the green of pixels. */
    private static int[] packed(int[] numbers) {
        int[] pixels = new int[numbers.length];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = numbers[i] << 8;
        }
        return pixels;
    }

    private int[] differences(int[] pixels, int[] modes) {
        int[] differences = new int[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            int x = i % width;
            int y = i / width;
            int predicted = x == 0 || y == 0
                    ? Predictor.predictBorder(pixels, i, width)
                    : Predictor.predict(modes[(y >> BLOCK_BITS) * blocks(width) + (x >> BLOCK_BITS)], pixels, i, width);
            differences[i] = Predictor.subtract(pixels[i], predicted);
        }
        return differences;
    }

    /**
     * Writes pixels with one group of codes.
     *
     * @param outermost whether this is the picture itself, which says that it has one group
     */
    private void writeImage(int[] pixels, int rowLength, boolean outermost) {
        bits.write(0, 1); // no cache of colours
        if (outermost) {
            bits.write(0, 1);
        }
        int[] copies = copies(pixels, rowLength);
        int[][] counts = {
            new int[LITERALS + LENGTHS], new int[LITERALS], new int[LITERALS], new int[LITERALS], new int[DISTANCES]
        };
        eachSymbol(pixels, copies, (code, symbol, extra, extraBits) -> counts[code][symbol]++);
        PrefixCode[] codes = new PrefixCode[counts.length];
        for (int code = 0; code < codes.length; code++) {
            codes[code] = PrefixCode.of(counts[code]);
            codes[code].writeLengths(bits);
        }
        eachSymbol(pixels, copies, (code, symbol, extra, extraBits) -> {
            codes[code].write(symbol, bits);
            bits.write(extra, extraBits);
        });
    }

    /**
     * Where to copy: at the first pixel of a copy its length, negative where it comes from above; 0 where a pixel stands
     * for itself.
     */
    private static int[] copies(int[] pixels, int rowLength) {
        int[] copies = new int[pixels.length];
        for (int i = 0; i < pixels.length; ) {
            int fromLeft = matching(pixels, i, 1);
            int fromAbove = matching(pixels, i, rowLength);
            int length = Math.max(fromLeft, fromAbove);
            if (length >= MIN_COPY) {
                copies[i] = fromLeft >= fromAbove ? length : -length;
            }
            i += Math.max(1, length >= MIN_COPY ? length : 1);
        }
        return copies;
    }

    private static int matching(int[] pixels, int i, int distance) {
        if (distance > i) {
            return 0;
        }
        int most = Math.min(MAX_COPY, pixels.length - i);
        int length = 0;
        while (length < most && pixels[i + length] == pixels[i + length - distance]) {
            length++;
        }
        return length;
    }

    /** A symbol of one of the five codes (green and lengths, red, blue, alpha, distances), and bits that follow it. */
    private interface Symbols {
        void next(int code, int symbol, int extra, int extraBits);
    }

    private static void eachSymbol(int[] pixels, int[] copies, Symbols symbols) {
        for (int i = 0; i < pixels.length; ) {
            int length = Math.abs(copies[i]);
            if (length == 0) {
                symbols.next(0, pixels[i] >> 8 & 0xff, 0, 0);
                symbols.next(1, pixels[i] >> 16 & 0xff, 0, 0);
                symbols.next(2, pixels[i] & 0xff, 0, 0);
                symbols.next(3, pixels[i] >>> 24, 0, 0);
                i++;
            } else {
                int rest = length - 1;
                int extraBits = rest < 4 ? 0 : 30 - Integer.numberOfLeadingZeros(rest); // all but the two highest bits
                int prefix = rest < 4 ? rest : 2 * (extraBits + 1) + (rest >> extraBits & 1);
                symbols.next(0, LITERALS + prefix, rest & ((1 << extraBits) - 1), extraBits);
                symbols.next(4, copies[i] > 0 ? COPY_LEFT : COPY_ABOVE, 0, 0);
                i += length;
            }
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
