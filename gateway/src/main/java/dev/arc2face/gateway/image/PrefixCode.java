package dev.arc2face.gateway.image;

import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * A canonical prefix code (Huffman 1952) and how a lossless WebP stores it (RFC 9649, section 3.7.2.1). The same counts
 * give the same code on every machine.
 */
final class PrefixCode {
    private static final int MAX_LENGTH = 15;
    private static final int MAX_LENGTH_OF_LENGTHS = 7;

    private static final int REPEAT_PREVIOUS = 16; // 3 to 6 times
    private static final int REPEAT_ZERO = 17; // 3 to 10 times
    private static final int REPEAT_ZERO_LONG = 18; // 11 to 138 times
    private static final int[] ORDER_OF_LENGTHS = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    private final int[] lengths;
    private final int[] codes; // the first bit read is the lowest
    private final int[] used; // symbols, rising

    private PrefixCode(int[] lengths) {
        this.lengths = lengths;
        this.codes = codes(lengths);
        int[] symbols = new int[lengths.length];
        int count = 0;
        for (int symbol = 0; symbol < lengths.length; symbol++) {
            if (lengths[symbol] > 0) {
                symbols[count++] = symbol;
            }
        }
        this.used = Arrays.copyOf(symbols, count);
    }

    /** The shortest code for symbols that come so often. */
    static PrefixCode of(int[] counts) {
        return new PrefixCode(lengths(counts, MAX_LENGTH));
    }

    /** Writes a symbol; the only one there is takes no bits. */
    void write(int symbol, BitWriter bits) {
        if (used.length > 1) {
            bits.write(codes[symbol], lengths[symbol]);
        }
    }

    /** Writes the code itself. */
    void writeLengths(BitWriter bits) {
        if (used.length == 0) {
            bits.write(0b0001, 4); // simple, one symbol, of one bit: 0
        } else if (used.length <= 2 && used[used.length - 1] < 256) {
            writeSimple(bits);
        } else {
            writeFull(bits);
        }
    }

    private void writeSimple(BitWriter bits) {
        bits.write(1, 1);
        bits.write(used.length - 1, 1);
        int firstBits = used[0] < 2 ? 1 : 8;
        bits.write(firstBits == 1 ? 0 : 1, 1);
        bits.write(used[0], firstBits);
        if (used.length == 2) {
            bits.write(used[1], 8);
        }
    }

    /** The lengths in runs, and these in a code of their own. */
    private void writeFull(BitWriter bits) {
        int[] runs = new int[lengths.length]; // symbol, and above it what makes it exact
        int count = 0;
        int previous = 8; // as the decoder assumes
        for (int i = 0; i < lengths.length; ) {
            int length = lengths[i];
            int run = 1;
            while (i + run < lengths.length && lengths[i + run] == length) {
                run++;
            }
            if (length == 0 && run >= 3) {
                run = Math.min(run, 138);
                runs[count++] = run <= 10 ? REPEAT_ZERO | (run - 3) << 8 : REPEAT_ZERO_LONG | (run - 11) << 8;
            } else if (length != 0 && length == previous && run >= 3) {
                run = Math.min(run, 6);
                runs[count++] = REPEAT_PREVIOUS | (run - 3) << 8;
            } else {
                run = 1;
                runs[count++] = length;
                previous = length == 0 ? previous : length;
            }
            i += run;
        }
        int[] counts = new int[ORDER_OF_LENGTHS.length];
        for (int i = 0; i < count; i++) {
            counts[runs[i] & 0xff]++;
        }
        PrefixCode ofLengths = new PrefixCode(lengths(counts, MAX_LENGTH_OF_LENGTHS));
        int stored = ORDER_OF_LENGTHS.length;
        while (stored > 4 && ofLengths.lengths[ORDER_OF_LENGTHS[stored - 1]] == 0) {
            stored--;
        }
        bits.write(0, 1);
        bits.write(stored - 4, 4);
        for (int i = 0; i < stored; i++) {
            bits.write(ofLengths.lengths[ORDER_OF_LENGTHS[i]], 3);
        }
        bits.write(0, 1); // all symbols have a length
        for (int i = 0; i < count; i++) {
            int symbol = runs[i] & 0xff;
            ofLengths.write(symbol, bits);
            switch (symbol) {
                case REPEAT_PREVIOUS -> bits.write(runs[i] >> 8, 2);
                case REPEAT_ZERO -> bits.write(runs[i] >> 8, 3);
                case REPEAT_ZERO_LONG -> bits.write(runs[i] >> 8, 7);
                default -> {} // a length
            }
        }
    }

    private record Node(long count, int order, int symbol, int left, int right) {}

    /** Code lengths; where the longest is too long, rare symbols are counted as more frequent until it is not. */
    private static int[] lengths(int[] counts, int limit) {
        for (long least = 1; ; least *= 2) {
            int[] lengths = lengths(counts, least);
            if (Arrays.stream(lengths).max().orElse(0) <= limit) {
                return lengths;
            }
        }
    }

    private static int[] lengths(int[] counts, long least) {
        Node[] nodes = new Node[2 * counts.length];
        int made = 0;
        PriorityQueue<Node> open =
                new PriorityQueue<>(Comparator.comparingLong(Node::count).thenComparingInt(Node::order));
        for (int symbol = 0; symbol < counts.length; symbol++) {
            if (counts[symbol] > 0) {
                nodes[made] = new Node(Math.max(counts[symbol], least), made, symbol, -1, -1);
                open.add(nodes[made++]);
            }
        }
        int[] lengths = new int[counts.length];
        if (made == 1) {
            lengths[nodes[0].symbol] = 1;
            return lengths;
        }
        while (open.size() > 1) {
            Node left = open.remove();
            Node right = open.remove();
            nodes[made] = new Node(left.count + right.count, made, -1, left.order, right.order);
            open.add(nodes[made++]);
        }
        int[] depths = new int[made];
        for (int i = made - 1; i >= 0; i--) { // a node comes after those below it
            Node node = nodes[i];
            if (node.symbol >= 0) {
                lengths[node.symbol] = depths[i];
            } else {
                depths[node.left] = depths[i] + 1;
                depths[node.right] = depths[i] + 1;
            }
        }
        return lengths;
    }

    private static int[] codes(int[] lengths) {
        int[] next = new int[MAX_LENGTH + 2];
        for (int length : lengths) {
            if (length > 0) {
                next[length + 1]++;
            }
        }
        for (int length = 1; length <= MAX_LENGTH; length++) {
            next[length] = (next[length] + next[length - 1]) << 1;
        }
        int[] codes = new int[lengths.length];
        for (int symbol = 0; symbol < lengths.length; symbol++) {
            int length = lengths[symbol];
            if (length > 0) {
                codes[symbol] = Integer.reverse(next[length]++) >>> (Integer.SIZE - length);
            }
        }
        return codes;
    }
}
