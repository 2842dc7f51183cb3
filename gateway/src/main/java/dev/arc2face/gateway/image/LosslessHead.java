package dev.arc2face.gateway.image;

import java.util.Arrays;
import javax.imageio.IIOException;

/**
 * What comes before the pixels of a lossless WebP bitstream (RFC 9649, section 3): transforms and prefix codes. The reader
 * applies as many transforms as there are, each of them a pass over the picture for as little as three bits, and makes the
 * tables of as many codes as a few bits say. Here each transform comes at most once, as the format has it, the tables
 * have a budget, and a code is one that every reader reads the same way.
 */
final class LosslessHead {
    /** Of 4 bytes, in the reader's tables: 600 for each of five codes in the 2600 groups that libwebp makes at most. */
    private static final int MAX_TABLE_ENTRIES = 8 << 20;

    private static final int LITERALS = 256;
    private static final int LENGTHS = 24;
    private static final int DISTANCES = 40;
    private static final int MAX_CODE_LENGTH = 15;
    /** Bits that the reader looks up at once; longer codes have a second table for each beginning. */
    private static final int FIRST_TABLE_BITS = 8;

    private static final int[] CODE_LENGTH_ORDER = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    private final byte[] data;
    private long position; // in bits
    private long tableEntries;

    private LosslessHead(byte[] data, int offset) {
        this.data = data;
        position = 8L * offset;
    }

    /**
     * Reads a bitstream up to its pixels.
     *
     * @param offset of the first byte after the picture's size
     * @throws IIOException when it is damaged or cut short, or would cost its reader more than a picture may
     */
    static void check(byte[] data, int offset, int width, int height) throws IIOException {
        new LosslessHead(data, offset).readHead(width, height);
    }

    private void readHead(int width, int height) throws IIOException {
        int codedWidth = width; // several pixels of few colours are stored as one
        boolean[] seen = new boolean[4];
        while (bits(1) == 1) {
            int transform = bits(2);
            require(!seen[transform]);
            seen[transform] = true;
            switch (transform) {
                case 0, 1 -> { // predictor, colour
                    int blockBits = bits(3) + 2;
                    readImage(blocks(codedWidth, blockBits), blocks(height, blockBits));
                }
                case 2 -> {} // subtract green
                default -> { // colour indexing
                    int colours = bits(8) + 1;
                    readImage(colours, 1);
                    codedWidth = blocks(codedWidth, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3);
                }
            }
        }
        int cacheColours = readCacheColours();
        int groups = 1;
        if (bits(1) == 1) {
            int blockBits = bits(3) + 2;
            groups = readImage(blocks(codedWidth, blockBits), blocks(height, blockBits)) + 1;
        }
        for (int group = 0; group < groups; group++) {
            readGroup(cacheColours);
        }
    }

    private static int blocks(int size, int blockBits) {
        return (size + (1 << blockBits) - 1) >> blockBits;
    }

    private int readCacheColours() throws IIOException {
        if (bits(1) == 0) {
            return 0;
        }
        int cacheBits = bits(4);
        require(cacheBits >= 1 && cacheBits <= 11);
        return 1 << cacheBits;
    }

    /**
     * Passes over a picture within the head, which has no transforms and one group of codes.
     *
     * @return the highest number of a group in it, where its red and green are such numbers
     */
    private int readImage(int width, int height) throws IIOException {
        PrefixCode[] codes = readGroup(readCacheColours());
        int pixels = width * height; // less than the whole picture, which is within its budget
        int highest = 0; // all that is not literal is a copy of a literal, or 0
        for (int pixel = 0; pixel < pixels; pixel++) {
            int symbol = codes[0].read();
            if (symbol < LITERALS) {
                int red = codes[1].read();
                codes[2].read();
                codes[3].read();
                highest = Math.max(highest, red << 8 | symbol);
            } else if (symbol < LITERALS + LENGTHS) {
                int length = readPrefixed(symbol - LITERALS);
                readPrefixed(codes[4].read());
                require(length <= pixels - pixel);
                pixel += length - 1;
            }
        }
        return highest;
    }

    /** A length or a distance: its prefix, then bits that make it exact. */
    private int readPrefixed(int prefix) throws IIOException {
        if (prefix < 4) {
            return prefix + 1;
        }
        int extraBits = (prefix - 2) >> 1;
        return ((2 + (prefix & 1)) << extraBits) + bits(extraBits) + 1;
    }

    /** Codes of green and length, red, blue, alpha, distance. */
    private PrefixCode[] readGroup(int cacheColours) throws IIOException {
        int[] symbols = {LITERALS + LENGTHS + cacheColours, LITERALS, LITERALS, LITERALS, DISTANCES};
        PrefixCode[] codes = new PrefixCode[symbols.length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = new PrefixCode(readCodeLengths(symbols[i]));
            tableEntries += codes[i].tableEntries();
            require(tableEntries <= MAX_TABLE_ENTRIES);
        }
        return codes;
    }

    private int[] readCodeLengths(int symbols) throws IIOException {
        int[] lengths = new int[symbols];
        if (bits(1) == 1) { // one or two symbols
            boolean two = bits(1) == 1;
            int first = bits(bits(1) == 0 ? 1 : 8);
            require(first < symbols);
            lengths[first] = 1;
            if (two) {
                int second = bits(8);
                require(second > first && second < symbols);
                lengths[second] = 1;
            }
            return lengths;
        }
        int[] lengthsOfLengths = new int[CODE_LENGTH_ORDER.length];
        int given = bits(4) + 4;
        for (int i = 0; i < given; i++) {
            lengthsOfLengths[CODE_LENGTH_ORDER[i]] = bits(3);
        }
        PrefixCode code = new PrefixCode(lengthsOfLengths);
        int left = symbols;
        if (bits(1) == 1) {
            left = 2 + bits(2 + 2 * bits(3));
            require(left <= symbols);
        }
        int previous = 8;
        int symbol = 0;
        while (symbol < symbols && left-- > 0) {
            int length = code.read();
            if (length <= MAX_CODE_LENGTH) {
                lengths[symbol++] = length;
                previous = length == 0 ? previous : length;
            } else {
                int count = switch (length) {
                    case 16 -> 3 + bits(2);
                    case 17 -> 3 + bits(3);
                    default -> 11 + bits(7);
                };
                require(count <= symbols - symbol);
                Arrays.fill(lengths, symbol, symbol + count, length == 16 ? previous : 0);
                symbol += count;
            }
        }
        return lengths;
    }

    /** The next bits, the first one the lowest. */
    private int bits(int count) throws IIOException {
        require(position + count <= 8L * data.length);
        int value = 0;
        for (int i = 0; i < count; i++) {
            value |= (data[(int) (position >> 3)] >> (position & 7) & 1) << i;
            position++;
        }
        return value;
    }

    private static void require(boolean condition) throws IIOException {
        if (!condition) {
            throw new IIOException("the WebP is damaged or cut short");
        }
    }

    /** A canonical prefix code, without gaps; or a single symbol, of no bits. */
    private final class PrefixCode {
        private final int[] count = new int[MAX_CODE_LENGTH + 1]; // of codes of each length
        private final int[] sorted; // symbols, by length and then by number

        PrefixCode(int[] lengths) throws IIOException {
            for (int length : lengths) {
                count[length]++;
            }
            sorted = new int[lengths.length - count[0]];
            count[0] = 0;
            int[] next = new int[MAX_CODE_LENGTH + 1];
            int used = 0;
            for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
                next[length] = next[length - 1] + count[length - 1];
                used += count[length] << (MAX_CODE_LENGTH - length);
            }
            require(sorted.length == 1 || used == 1 << MAX_CODE_LENGTH);
            for (int symbol = 0; symbol < lengths.length; symbol++) {
                if (lengths[symbol] > 0) {
                    sorted[next[lengths[symbol]]++] = symbol;
                }
            }
        }

        int read() throws IIOException {
            if (sorted.length == 1) {
                return sorted[0];
            }
            int code = 0;
            int first = 0;
            int index = 0;
            for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
                code = code << 1 | bits(1);
                first <<= 1;
                if (code - first < count[length]) {
                    return sorted[index + code - first];
                }
                index += count[length];
                first += count[length];
            }
            throw new IIOException("the WebP is damaged or cut short"); // not reached: the code has no gaps
        }

        /** The first table's, and those of a second one for each beginning of longer codes. */
        int tableEntries() {
            int[] longest = new int[1 << FIRST_TABLE_BITS];
            int first = 0;
            for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
                first <<= 1;
                for (int code = first; length > FIRST_TABLE_BITS && code < first + count[length]; code++) {
                    longest[code >> (length - FIRST_TABLE_BITS)] = length;
                }
                first += count[length];
            }
            int entries = longest.length;
            for (int length : longest) {
                entries += length == 0 ? 0 : 1 << (length - FIRST_TABLE_BITS);
            }
            return entries;
        }
    }
}
