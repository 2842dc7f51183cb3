package dev.arc2face.gateway.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** All pictures of a data set, one a row, twice: as lines of JSON and as Parquet, with the same names. */
final class Manifest {
    private static final List<ParquetColumn<Picture.Kept>> COLUMNS = List.of(
            ParquetColumn.int32("identity", Picture.Kept::identity),
            ParquetColumn.int32("picture", Picture.Kept::picture),
            ParquetColumn.text("file", Picture.Kept::file),
            ParquetColumn.text("aligned_file", Picture.Kept::alignedFile),
            ParquetColumn.int64("seed", Picture.Kept::seed),
            ParquetColumn.float32("similarity", Picture.Kept::similarity),
            ParquetColumn.int32("attempts", Picture.Kept::attempts),
            ParquetColumn.float32List("landmarks", Picture.Kept::landmarks),
            ParquetColumn.int32("width", Picture.Kept::width),
            ParquetColumn.int32("height", Picture.Kept::height),
            ParquetColumn.text("sha256", Picture.Kept::sha256),
            ParquetColumn.text("aligned_sha256", Picture.Kept::alignedSha256),
            ParquetColumn.text("recogniser_id", Picture.Kept::recogniserId),
            ParquetColumn.text("model_hash", Picture.Kept::modelHash),
            ParquetColumn.text("licence", Picture.Kept::licence),
            ParquetColumn.optionalFloat32("training_cosine", Picture.Kept::trainingCosine));

    private final OutputStream lines;
    private final ParquetWriter<Picture.Kept> columns;

    Manifest(OutputStream lines, OutputStream columns) throws IOException {
        this.lines = lines;
        this.columns = new ParquetWriter<>(columns, COLUMNS);
    }

    void add(Picture.Kept picture) throws IOException {
        lines.write((picture.line() + "\n").getBytes(UTF_8));
        columns.write(picture);
    }

    void finish() throws IOException {
        columns.finish();
    }
}
