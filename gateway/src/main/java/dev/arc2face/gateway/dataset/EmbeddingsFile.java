package dev.arc2face.gateway.dataset;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.dataset.DatasetException.Problem;
import dev.arc2face.gateway.face.Embedding;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Reads embeddings that somebody else computed: a NumPy array [N,D], row by row, so that it may be larger than memory. */
public final class EmbeddingsFile {
    private EmbeddingsFile() {}

    /**
     * Reads a file.
     *
     * @param embeddingSize D
     * @param each gets each row, at unit length
     * @throws DatasetException EMBEDDINGS_UNREADABLE
     */
    public static void read(Path file, int embeddingSize, Consumer<Embedding> each) {
        try (InputStream content = new BufferedInputStream(Files.newInputStream(file), 1 << 20)) {
            Npy array = new Npy(content);
            List<Integer> shape = array.shape();
            if (shape.size() != 2 || shape.get(1) != embeddingSize) {
                throw unreadable(file, "its shape is " + shape + ", not [N, " + embeddingSize + "]");
            }
            for (int row = 0; row < shape.get(0); row++) {
                each.accept(unit(file, row, array.floats(embeddingSize)));
            }
        } catch (NoSuchFileException missing) {
            throw unreadable(file, "it is not there");
        } catch (IOException broken) {
            throw unreadable(file, String.valueOf(broken.getMessage()));
        }
    }

    private static Embedding unit(Path file, int row, float[] values) {
        try {
            return Embedding.normalise(values);
        } catch (FailureException nobody) {
            throw unreadable(file, "row " + row + ": " + nobody.message());
        }
    }

    private static DatasetException unreadable(Path file, String why) {
        return new DatasetException(Problem.EMBEDDINGS_UNREADABLE, file + " is no file of embeddings: " + why);
    }
}
