package dev.arc2face.gateway.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** DuckDB, a reader that shares nothing with the writer, must see what was written. */
class ParquetWriterTest {
    @TempDir
    private Path folder;

    private record Row(int small, long large, float real, String text, List<Float> list, Float optional) {}

    private static final List<ParquetColumn<Row>> COLUMNS = List.of(
            ParquetColumn.int32("small", Row::small),
            ParquetColumn.int64("large", Row::large),
            ParquetColumn.float32("real", Row::real),
            ParquetColumn.text("text", Row::text),
            ParquetColumn.float32List("list", Row::list),
            ParquetColumn.optionalFloat32("optional", Row::optional));

    private List<JsonObject> readBack(List<Row> rows) throws IOException {
        Path file = folder.resolve("rows.parquet");
        try (OutputStream out = Files.newOutputStream(file)) {
            ParquetWriter<Row> writer = new ParquetWriter<>(out, COLUMNS);
            for (Row row : rows) {
                writer.write(row);
            }
            writer.finish();
        }
        return Python.script("rows.py", file.toAbsolutePath()).stream()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
    }

    private static Row row(JsonObject read) {
        return new Row(
                read.get("small").getAsInt(),
                read.get("large").getAsLong(),
                read.get("real").getAsFloat(),
                read.get("text").getAsString(),
                read.getAsJsonArray("list").asList().stream()
                        .map(JsonElement::getAsFloat)
                        .toList(),
                read.get("optional").isJsonNull()
                        ? null
                        : (Float) read.get("optional").getAsFloat());
    }

    private static List<Row> rows(List<JsonObject> read) {
        return read.stream().skip(1).map(ParquetWriterTest::row).toList();
    }

    @Test
    void everyTypeAndShapeIsReadAsItWasMeant() throws IOException {
        List<Row> rows = List.of(
                new Row(0, 0, 0, "", List.of(0f), null),
                new Row(Integer.MAX_VALUE, Long.MAX_VALUE, Float.MAX_VALUE, "größe 😀\n\"", List.of(1f, -2f, 3f), 0.1f),
                new Row(Integer.MIN_VALUE, Long.MIN_VALUE, -0.1f, "a".repeat(1000), List.of(4f, 5f), -1f),
                new Row(-1, 0xffff_ffffL, 1e-30f, "b", List.of(6f), null));
        List<JsonObject> read = readBack(rows);
        assertThat(read.get(0))
                .hasToString("{\"small\":\"INTEGER\",\"large\":\"BIGINT\",\"real\":\"FLOAT\",\"text\":\"VARCHAR\","
                        + "\"list\":\"FLOAT[]\",\"optional\":\"FLOAT\"}");
        assertThat(rows(read)).isEqualTo(rows);
    }

    @Test
    void moreRowsThanAGroupHoldsStayInOrder() throws IOException {
        Random random = new Random(1);
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < (1 << 16) + 1000; i++) {
            List<Float> list = new ArrayList<>();
            for (int j = 0; j <= random.nextInt(4); j++) {
                list.add(random.nextFloat());
            }
            Float optional = random.nextInt(3) == 0 ? null : random.nextFloat();
            rows.add(new Row(i, random.nextLong(), random.nextFloat(), "row " + i, list, optional));
        }
        List<Row> read = rows(readBack(rows));
        assertThat(read.equals(rows))
                .as("all %d rows are the same", rows.size())
                .isTrue();
    }

    @Test
    void aFileWithoutRowsHasItsColumns() throws IOException {
        List<JsonObject> read = readBack(List.of());
        assertThat(read).hasSize(1);
        assertThat(read.get(0).keySet()).containsExactly("small", "large", "real", "text", "list", "optional");
    }
}
