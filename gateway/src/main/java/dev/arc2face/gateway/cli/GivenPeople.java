package dev.arc2face.gateway.cli;

import dev.arc2face.gateway.dataset.EmbeddingSet;
import dev.arc2face.gateway.dataset.EmbeddingsFile;
import dev.arc2face.gateway.dataset.Gallery;
import dev.arc2face.gateway.face.Embedding;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The people that a data set stays away from, read from files of embeddings and from photos that the server embeds. */
final class GivenPeople {
    private static final List<String> READABLE = List.of(".npy", ".json", ".jpg", ".jpeg", ".png", ".webp");

    private final Connection.Session session;
    private final String recogniserId;
    private final int embeddingSize;
    private final Gallery gallery;
    private final EmbeddingSet.Builder remembered = new EmbeddingSet.Builder();

    GivenPeople(Connection.Session session, GetModelInfoResponse info) {
        this.session = session;
        recogniserId = info.getRecogniserId();
        embeddingSize = info.getEmbeddingSize();
        gallery = new Gallery(embeddingSize);
    }

    Gallery gallery() {
        return gallery;
    }

    EmbeddingSet remembered() {
        return remembered.build();
    }

    /**
     * Reads one file, or those of a folder by their names' order. A photo stands for its largest face.
     *
     * @throws CommandFailure where one cannot be read or shows no face: nobody is left out in silence
     */
    void read(Path path) {
        if (!Files.isDirectory(path)) {
            readFile(path);
            return;
        }
        try (Stream<Path> files = Files.list(path)) {
            List<Path> readable = files.filter(file -> READABLE.stream().anyMatch(lowerCase(file)::endsWith))
                    .sorted()
                    .toList();
            if (readable.isEmpty()) {
                throw new CommandFailure(ExitCode.BAD_INPUT, path + " holds neither photos nor embeddings");
            }
            readable.forEach(this::readFile);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.BAD_INPUT, "cannot read " + path + ": " + e.getMessage());
        }
    }

    private void readFile(Path file) {
        if (lowerCase(file).endsWith(".npy")) {
            EmbeddingsFile.read(file, embeddingSize, this::add);
        } else {
            add(embed(file));
        }
    }

    private void add(Embedding embedding) {
        gallery.add(embedding);
        remembered.add(embedding);
    }

    /** That of a photo, or one that was kept. */
    private Embedding embed(Path file) {
        IdentitySource identity = Inputs.identity(file);
        dev.arc2face.v1.Embedding embedding;
        if (identity.hasEmbedding()) {
            embedding = identity.getEmbedding();
            if (!embedding.getRecogniserId().equals(recogniserId) || embedding.getValuesCount() != embeddingSize) {
                throw new CommandFailure(
                        ExitCode.BAD_INPUT,
                        file + " has " + embedding.getValuesCount() + " values of " + embedding.getRecogniserId()
                                + ", and the server " + embeddingSize + " of " + recogniserId);
            }
        } else {
            embedding = embedPhoto(file, identity);
        }
        float[] values = new float[embeddingSize];
        for (int i = 0; i < embeddingSize; i++) {
            values[i] = embedding.getValues(i);
        }
        return Embedding.normalise(values);
    }

    private dev.arc2face.v1.Embedding embedPhoto(Path file, IdentitySource photo) {
        try {
            return session.server()
                    .embedFace(EmbedFaceRequest.newBuilder().setIdentity(photo).build())
                    .getEmbedding();
        } catch (StatusRuntimeException refused) {
            if (Thread.currentThread().isInterrupted()) {
                throw refused;
            }
            CommandFailure told = session.explain(refused);
            throw new CommandFailure(told.exitCode(), file + ": " + told.message());
        }
    }

    private static String lowerCase(Path file) {
        return file.toString().toLowerCase(Locale.ROOT);
    }
}
