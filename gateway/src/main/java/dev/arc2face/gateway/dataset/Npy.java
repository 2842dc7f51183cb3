package dev.arc2face.gateway.dataset;

import dev.arc2face.gateway.triton.Float16;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * NumPy's array file as it is read, from its first value to its last: real numbers of 2, 4 or 8 bytes in little endian and
 * C order, or text. Source: {@code numpy/lib/format.py}.
 */
final class Npy {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MOST_HEADER_BYTES = 1 << 16;
    private static final Pattern TYPE = Pattern.compile("'descr': *'([<|>=][a-zA-Z])(\\d+)'");
    private static final Pattern ORDER = Pattern.compile("'fortran_order': *(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape': *\\(([\\d, ]*)\\)");

    private final InputStream content;
    private final String kind;
    private final int width;
    private final int[] shape;

    /**
     * Reads the header.
     *
     * @throws IOException where this is no such array
     */
    Npy(InputStream content) throws IOException {
        this.content = content;
        byte[] start = exactly(8);
        if (!Arrays.equals(Arrays.copyOf(start, MAGIC.length), MAGIC)) {
            throw new IOException("it is no NumPy array");
        }
        boolean isShort = start[6] == 1; // version 1 counts the header's bytes in 2 bytes, later ones in 4
        ByteBuffer length = ByteBuffer.wrap(exactly(isShort ? 2 : 4)).order(ByteOrder.LITTLE_ENDIAN);
        int headerBytes = isShort ? Short.toUnsignedInt(length.getShort()) : length.getInt();
        if (headerBytes < 0 || headerBytes > MOST_HEADER_BYTES) {
            throw new IOException("its header is damaged");
        }
        String header = new String(exactly(headerBytes), StandardCharsets.UTF_8);
        Matcher type = TYPE.matcher(header);
        Matcher order = ORDER.matcher(header);
        Matcher sides = SHAPE.matcher(header);
        if (!type.find() || !order.find() || !sides.find()) {
            throw new IOException("its header is damaged, or it is an array of records");
        }
        kind = type.group(1);
        width = Integer.parseInt(type.group(2));
        shape = shape(sides.group(1));
        if (order.group(1).equals("True") && shape.length > 1) {
            throw new IOException("it is in Fortran's order; save it with numpy.ascontiguousarray");
        }
    }

    private static int[] shape(String sides) throws IOException {
        try {
            return Arrays.stream(sides.split(","))
                    .map(String::strip)
                    .filter(side -> !side.isEmpty())
                    .mapToInt(Integer::parseInt)
                    .toArray();
        } catch (NumberFormatException tooLarge) {
            throw new IOException("it has a side of more than " + Integer.MAX_VALUE, tooLarge);
        }
    }

    /** Length of each axis. */
    List<Integer> shape() {
        return Arrays.stream(shape).boxed().toList();
    }

    /**
     * The next values of a real array.
     *
     * @throws IOException where there are not so many, or they are no real numbers
     */
    float[] floats(int count) throws IOException {
        if (!kind.equals("<f") || (width != 2 && width != 4 && width != 8)) {
            throw new IOException("its values are '" + kind + width + "', not <f2, <f4 or <f8");
        }
        ByteBuffer bytes =
                ByteBuffer.wrap(exactly(Math.multiplyExact(count, width))).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = switch (width) {
                case 2 -> Float16.toFloat(bytes.getShort());
                case 4 -> bytes.getFloat();
                default -> (float) bytes.getDouble();
            };
        }
        return values;
    }

    /**
     * The text of an array that holds one.
     *
     * @throws IOException where it holds none
     */
    String text() throws IOException {
        if (!kind.equals("<U") || shape.length != 0) {
            throw new IOException("it is no text");
        }
        ByteBuffer codePoints = ByteBuffer.wrap(exactly(4 * width)).order(ByteOrder.LITTLE_ENDIAN);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < width; i++) {
            int codePoint = codePoints.getInt();
            if (!Character.isValidCodePoint(codePoint)) {
                throw new IOException("its text is damaged");
            }
            if (codePoint != 0) { // shorter texts are filled up
                text.appendCodePoint(codePoint);
            }
        }
        return text.toString();
    }

    private byte[] exactly(int count) throws IOException {
        byte[] bytes = content.readNBytes(count);
        if (bytes.length < count) {
            throw new EOFException("it is cut short");
        }
        return bytes;
    }

    /** Writes rows [N,D] as numpy.save does, FP32. */
    static void write(OutputStream out, List<float[]> rows, int rowLength) throws IOException {
        String fields = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows.size() + ", " + rowLength + "), }";
        IntUnaryOperator padded = length -> (length + 63) / 64 * 64; // values are aligned to 64 bytes
        int before = MAGIC.length + 2 + 2;
        int headerBytes = padded.applyAsInt(before + fields.length() + 1) - before;
        ByteBuffer header = ByteBuffer.allocate(before + headerBytes).order(ByteOrder.LITTLE_ENDIAN);
        header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) headerBytes);
        header.put((fields + " ".repeat(headerBytes - fields.length() - 1) + "\n").getBytes(StandardCharsets.US_ASCII));
        out.write(header.array());
        ByteBuffer values = ByteBuffer.allocate(4 * rowLength).order(ByteOrder.LITTLE_ENDIAN);
        for (float[] row : rows) {
            values.clear();
            values.asFloatBuffer().put(row);
            out.write(values.array());
        }
    }
}
