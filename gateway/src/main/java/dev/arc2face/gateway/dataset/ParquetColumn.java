package dev.arc2face.gateway.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A column of a Parquet file: its name and type, and how a row's value becomes bytes.
 *
 * @param <R> a row
 */
final class ParquetColumn<R> {
    /** Numbers of {@code parquet.thrift}'s {@code Type}. */
    enum Type {
        INT32(1),
        INT64(2),
        FLOAT(4),
        BYTE_ARRAY(6);

        private final int number;

        Type(int number) {
            this.number = number;
        }
    }

    /** How many values a row has. */
    enum Shape {
        ONE,
        ONE_OR_NONE,
        LIST
    }

    private static final int REQUIRED = 0;
    private static final int OPTIONAL = 1;
    private static final int REPEATED = 2;
    private static final int CONVERTED_UTF8 = 0;
    private static final int CONVERTED_LIST = 3;

    private final String name;
    private final Type type;
    private final Shape shape;
    private final BiConsumer<R, Page> append;

    private ParquetColumn(String name, Type type, Shape shape, BiConsumer<R, Page> append) {
        this.name = name;
        this.type = type;
        this.shape = shape;
        this.append = append;
    }

    static <R> ParquetColumn<R> int32(String name, ToIntFunction<R> value) {
        return new ParquetColumn<>(name, Type.INT32, Shape.ONE, (row, page) -> page.int32(value.applyAsInt(row)));
    }

    static <R> ParquetColumn<R> int64(String name, ToLongFunction<R> value) {
        return new ParquetColumn<>(name, Type.INT64, Shape.ONE, (row, page) -> page.int64(value.applyAsLong(row)));
    }

    static <R> ParquetColumn<R> float32(String name, Function<R, Float> value) {
        return new ParquetColumn<>(name, Type.FLOAT, Shape.ONE, (row, page) -> page.float32(value.apply(row)));
    }

    static <R> ParquetColumn<R> text(String name, Function<R, String> value) {
        return new ParquetColumn<>(name, Type.BYTE_ARRAY, Shape.ONE, (row, page) -> page.text(value.apply(row)));
    }

    static <R> ParquetColumn<R> optionalFloat32(String name, Function<R, @Nullable Float> value) {
        return new ParquetColumn<>(name, Type.FLOAT, Shape.ONE_OR_NONE, (row, page) -> {
            Float present = value.apply(row);
            page.definition.add(present == null ? 0 : 1);
            if (present == null) {
                page.count++;
            } else {
                page.float32(present);
            }
        });
    }

    /** A list that is never empty. */
    static <R> ParquetColumn<R> float32List(String name, Function<R, List<Float>> values) {
        return new ParquetColumn<>(name, Type.FLOAT, Shape.LIST, (row, page) -> {
            List<Float> list = values.apply(row);
            if (list.isEmpty()) {
                throw new IllegalArgumentException("a row with nothing in its list " + name);
            }
            for (int i = 0; i < list.size(); i++) {
                page.repetition.add(i == 0 ? 0 : 1);
                page.definition.add(1);
                page.float32(list.get(i));
            }
        });
    }

    Shape shape() {
        return shape;
    }

    int typeNumber() {
        return type.number;
    }

    void append(R row, Page page) {
        append.accept(row, page);
    }

    /** From the root to the values. */
    List<String> path() {
        return shape == Shape.LIST ? List.of(name, "list", "element") : List.of(name);
    }

    /** {@code SchemaElement}s: one, or the three levels of a list. */
    List<CompactStruct> schema() {
        CompactStruct values = new CompactStruct()
                .i32(1, type.number)
                .i32(3, shape == Shape.ONE_OR_NONE ? OPTIONAL : REQUIRED)
                .text(4, shape == Shape.LIST ? "element" : name);
        if (type == Type.BYTE_ARRAY) {
            values.i32(6, CONVERTED_UTF8);
        }
        if (shape != Shape.LIST) {
            return List.of(values);
        }
        CompactStruct list =
                new CompactStruct().i32(3, REQUIRED).text(4, name).i32(5, 1).i32(6, CONVERTED_LIST);
        CompactStruct repeated =
                new CompactStruct().i32(3, REPEATED).text(4, "list").i32(5, 1);
        return List.of(list, repeated, values);
    }

    /** A column's values of one row group. */
    static final class Page {
        final Levels repetition = new Levels();
        final Levels definition = new Levels();
        final ByteArrayOutputStream values = new ByteArrayOutputStream();
        int count; // of values, absent ones included

        void int32(int value) {
            for (int shift = 0; shift < 32; shift += 8) {
                values.write(value >>> shift);
            }
            count++;
        }

        void int64(long value) {
            for (int shift = 0; shift < 64; shift += 8) {
                values.write((int) (value >>> shift));
            }
            count++;
        }

        void float32(float value) {
            int32(Float.floatToIntBits(value));
        }

        void text(String value) {
            byte[] encoded = value.getBytes(UTF_8);
            int32(encoded.length);
            values.writeBytes(encoded);
        }
    }

    /** Levels of 0 and 1, as runs: Parquet's RLE / bit-packing hybrid, without the bit-packing. */
    static final class Levels {
        private final ByteArrayOutputStream runs = new ByteArrayOutputStream();
        private int latest;
        private int length;

        void add(int level) {
            if (length > 0 && level != latest) {
                endRun();
            }
            latest = level;
            length++;
        }

        private void endRun() {
            CompactStruct.writeVarint(runs, (long) length << 1);
            runs.write(latest);
            length = 0;
        }

        /** Their length in 4 bytes, then they themselves. */
        byte[] toBytes() {
            if (length > 0) {
                endRun();
            }
            Page whole = new Page();
            whole.int32(runs.size());
            whole.values.writeBytes(runs.toByteArray());
            return whole.values.toByteArray();
        }
    }
}
