package dev.arc2face.gateway.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.dataset.DatasetException.Problem;
import dev.arc2face.gateway.face.Embedding;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** NumPy is the reference, in both directions. */
class NpyTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void writtenByNumPy() {
        Python.script("arrays.py", folder);
    }

    private static List<float[]> rows(String name) {
        List<float[]> rows = new ArrayList<>();
        EmbeddingsFile.read(folder.resolve(name), 3, embedding -> rows.add(embedding.values()));
        return rows;
    }

    @Test
    void realNumbersOfEveryWidthAreRead() throws IOException {
        for (String name : List.of("f2.npy", "f4.npy", "f8.npy", "version2.npy")) {
            try (InputStream file = Files.newInputStream(folder.resolve(name))) {
                Npy array = new Npy(file);
                assertThat(array.shape()).as(name).containsExactly(2, 3);
                assertThat(array.floats(3)).as(name).containsExactly(1.5f, -2.25f, 0);
                float[] second = array.floats(3);
                assertThat(second[1]).as(name).isCloseTo(1e-3f, org.assertj.core.data.Offset.offset(1e-6f));
                assertThat(second[2]).as(name).isEqualTo(-65504);
            }
        }
    }

    @Test
    void textIsRead() throws IOException {
        try (InputStream file = Files.newInputStream(folder.resolve("text.npy"))) {
            assertThat(new Npy(file).text()).isEqualTo("größe 😀");
        }
    }

    @Test
    void rowsComeAtUnitLength() {
        Embedding expected = Embedding.normalise(new float[] {1.5f, -2.25f, 0});
        assertThat(rows("f4.npy").get(0)).containsExactly(expected.values());
    }

    @Test
    void whatIsNoArrayOfEmbeddingsIsSaidToBeNone() throws IOException {
        Files.writeString(folder.resolve("prose.npy"), "this is no array, and long enough to look at");
        for (List<String> wrong : List.of(
                List.of("prose.npy", "no NumPy array"),
                List.of("cut.npy", "cut short"),
                List.of("fortran.npy", "Fortran"),
                List.of("integers.npy", "<i4"),
                List.of("big_endian.npy", ">f4"),
                List.of("text.npy", "shape"),
                List.of("nobody.npy", "row 0"),
                List.of("missing.npy", "not there"))) {
            assertThatThrownBy(() -> rows(wrong.get(0)))
                    .as("%s", wrong)
                    .isInstanceOfSatisfying(
                            DatasetException.class,
                            failure -> assertThat(failure.problem()).isEqualTo(Problem.EMBEDDINGS_UNREADABLE))
                    .hasMessageContaining(wrong.get(1));
        }
    }

    @Test
    void numPyReadsWhatIsWrittenHere() throws IOException {
        Path file = folder.resolve("written.npy");
        try (OutputStream out = Files.newOutputStream(file)) {
            Npy.write(out, List.of(new float[] {1, 2, 3}, new float[] {-0.5f, 0, 1e-20f}), 3);
        }
        assertThat(Python.run(
                        "-c",
                        "import sys, numpy; a = numpy.load(sys.argv[1]); print(a.dtype, a.shape, a.tolist())",
                        file.toAbsolutePath().toString()))
                .containsExactly("float32 (2, 3) [[1.0, 2.0, 3.0], [-0.5, 0.0, 9.999999682655225e-21]]");
    }
}
