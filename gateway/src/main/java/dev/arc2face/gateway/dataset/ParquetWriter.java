package dev.arc2face.gateway.dataset;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.arc2face.gateway.dataset.ParquetColumn.Page;
import dev.arc2face.gateway.dataset.ParquetColumn.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/**
 * Writes a Parquet file: a row group for each 65 536 rows, in it a page for each column, PLAIN values, GZIP. Apache's own
 * writer is 9 MB of jars with native code beside, for what a manifest needs here. The same rows give the same bytes on the same
 * machine. Source: {@code parquet.thrift} and {@code Encodings.md} of apache/parquet-format.
 *
 * @param <R> a row
 */
final class ParquetWriter<R> {
    private static final byte[] MAGIC = "PAR1".getBytes(US_ASCII);
    private static final int ROWS_IN_GROUP = 1 << 16;
    private static final int FORMAT_VERSION = 1;
    private static final int DATA_PAGE = 0;
    private static final int PLAIN = 0;
    private static final int RLE = 3;
    private static final int GZIP = 2;

    private final OutputStream out;
    private final List<ParquetColumn<R>> columns;
    private final List<CompactStruct> groups = new ArrayList<>();
    private List<Page> pages;
    private long written;
    private long rows;
    private int rowsInGroup;

    ParquetWriter(OutputStream out, List<ParquetColumn<R>> columns) throws IOException {
        this.out = out;
        this.columns = columns;
        pages = emptyPages();
        write(MAGIC);
    }

    private List<Page> emptyPages() {
        return columns.stream().map(column -> new Page()).toList();
    }

    void write(R row) throws IOException {
        for (int i = 0; i < columns.size(); i++) {
            columns.get(i).append(row, pages.get(i));
        }
        rowsInGroup++;
        if (rowsInGroup == ROWS_IN_GROUP) {
            endGroup();
        }
    }

    /** Writes what is missing; the stream stays open. */
    void finish() throws IOException {
        if (rowsInGroup > 0) {
            endGroup();
        }
        List<CompactStruct> schema = new ArrayList<>();
        schema.add(new CompactStruct().text(4, "schema").i32(5, columns.size()));
        columns.forEach(column -> schema.addAll(column.schema()));
        byte[] footer = new CompactStruct() // FileMetaData
                .i32(1, FORMAT_VERSION)
                .structs(2, schema)
                .i64(3, rows)
                .structs(4, groups)
                .text(6, "arc2face")
                .toBytes();
        write(footer);
        write(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(footer.length)
                .array());
        write(MAGIC);
    }

    private void endGroup() throws IOException {
        long start = written;
        List<CompactStruct> chunks = new ArrayList<>();
        long uncompressed = 0;
        for (int i = 0; i < columns.size(); i++) {
            Chunk chunk = writeChunk(columns.get(i), pages.get(i));
            chunks.add(chunk.description());
            uncompressed += chunk.uncompressedBytes();
        }
        groups.add(
                new CompactStruct() // RowGroup
                        .structs(1, chunks)
                        .i64(2, uncompressed)
                        .i64(3, rowsInGroup)
                        .i64(5, start)
                        .i64(6, written - start));
        rows += rowsInGroup;
        rowsInGroup = 0;
        pages = emptyPages();
    }

    private record Chunk(CompactStruct description, long uncompressedBytes) {}

    private Chunk writeChunk(ParquetColumn<R> column, Page page) throws IOException {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        if (column.shape() == Shape.LIST) {
            plain.writeBytes(page.repetition.toBytes());
        }
        if (column.shape() != Shape.ONE) {
            plain.writeBytes(page.definition.toBytes());
        }
        page.values.writeTo(plain);
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
            plain.writeTo(gzip);
        }
        byte[] header = new CompactStruct() // PageHeader
                .i32(1, DATA_PAGE)
                .i32(2, plain.size())
                .i32(3, compressed.size())
                .struct(
                        5, // DataPageHeader
                        new CompactStruct()
                                .i32(1, page.count)
                                .i32(2, PLAIN)
                                .i32(3, RLE)
                                .i32(4, RLE))
                .toBytes();
        long offset = written;
        write(header);
        write(compressed.toByteArray());
        long uncompressedBytes = (long) header.length + plain.size();
        CompactStruct metadata = new CompactStruct() // ColumnMetaData
                .i32(1, column.typeNumber())
                .i32s(2, List.of(PLAIN, RLE))
                .texts(3, column.path())
                .i32(4, GZIP)
                .i64(5, page.count)
                .i64(6, uncompressedBytes)
                .i64(7, written - offset)
                .i64(9, offset);
        return new Chunk(new CompactStruct().i64(2, offset).struct(3, metadata), uncompressedBytes);
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }
}
