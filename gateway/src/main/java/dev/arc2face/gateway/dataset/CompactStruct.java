package dev.arc2face.gateway.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * One struct in Thrift's compact protocol, field by field in rising order of their numbers. Source: Apache Thrift,
 * {@code doc/specs/thrift-compact-protocol.md}.
 */
final class CompactStruct {
    private static final int I32 = 5;
    private static final int I64 = 6;
    private static final int BINARY = 8;
    private static final int LIST = 9;
    private static final int STRUCT = 12;
    private static final int STOP = 0;
    private static final int MOST_IN_SHORT_LIST = 14;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int latest;

    CompactStruct i32(int field, int value) {
        header(field, I32);
        varint(zigzag(value));
        return this;
    }

    CompactStruct i64(int field, long value) {
        header(field, I64);
        varint(zigzag(value));
        return this;
    }

    CompactStruct text(int field, String value) {
        header(field, BINARY);
        text(value);
        return this;
    }

    CompactStruct struct(int field, CompactStruct value) {
        header(field, STRUCT);
        bytes.writeBytes(value.toBytes());
        return this;
    }

    CompactStruct structs(int field, List<CompactStruct> values) {
        list(field, STRUCT, values.size(), i -> bytes.writeBytes(values.get(i).toBytes()));
        return this;
    }

    CompactStruct texts(int field, List<String> values) {
        list(field, BINARY, values.size(), i -> text(values.get(i)));
        return this;
    }

    CompactStruct i32s(int field, List<Integer> values) {
        list(field, I32, values.size(), i -> varint(zigzag(values.get(i))));
        return this;
    }

    /** The struct up to here, and its end. */
    byte[] toBytes() {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(bytes.toByteArray());
        whole.write(STOP);
        return whole.toByteArray();
    }

    private void header(int field, int type) {
        int delta = field - latest;
        if (delta < 1 || delta > 15) {
            throw new IllegalArgumentException("field " + field + " after field " + latest);
        }
        bytes.write(delta << 4 | type);
        latest = field;
    }

    private void list(int field, int type, int size, IntConsumer write) {
        header(field, LIST);
        if (size <= MOST_IN_SHORT_LIST) {
            bytes.write(size << 4 | type);
        } else {
            bytes.write(0xf0 | type);
            varint(size);
        }
        for (int i = 0; i < size; i++) {
            write.accept(i);
        }
    }

    private void text(String value) {
        byte[] encoded = value.getBytes(UTF_8);
        varint(encoded.length);
        bytes.writeBytes(encoded);
    }

    private static long zigzag(long value) {
        return value << 1 ^ value >> 63;
    }

    private void varint(long value) {
        writeVarint(bytes, value);
    }

    /** Seven bits a byte, the lowest first. */
    static void writeVarint(ByteArrayOutputStream out, long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }
}
