package dev.arc2face.gateway.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.arc2face.v1.Average;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.IdentitySource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads what a person names on the command line: photos, and embeddings that {@code embed --out} wrote. */
final class Inputs {
    /** The API takes no larger photo; reading a larger file would be for nothing. */
    static final long MAX_PHOTO_BYTES = 16 << 20;

    /** Larger by far than any picture of ours, receipt, key or embedding. */
    static final long MAX_FILE_BYTES = 64 << 20;

    private Inputs() {}

    static ByteString photo(Path file) {
        return ByteString.copyFrom(
                read(file, MAX_PHOTO_BYTES, "the server takes at most " + MAX_PHOTO_BYTES + "; scale the photo down"));
    }

    /** Somebody to compare: an embedding where the file's name ends in {@code .json}, else a photo. */
    static IdentitySource identity(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".json")
                ? IdentitySource.newBuilder().setEmbedding(embedding(file)).build()
                : IdentitySource.newBuilder().setPhoto(photo(file)).build();
    }

    /**
     * One person in one photo, or in several, which are averaged.
     *
     * @param faceIndex which face of the only photo
     */
    static IdentitySource person(List<Path> files, @Nullable Integer faceIndex) {
        if (files.size() > 1) {
            if (faceIndex != null) {
                throw new CommandFailure(ExitCode.USAGE, "--face-index goes with one photo only");
            }
            Average.Builder average = Average.newBuilder();
            files.forEach(file -> average.addSources(identity(file)));
            return IdentitySource.newBuilder().setAverage(average).build();
        }
        IdentitySource.Builder identity = IdentitySource.newBuilder().setPhoto(photo(files.get(0)));
        if (faceIndex != null) {
            identity.setFaceIndex(faceIndex);
        }
        return identity.build();
    }

    static Embedding embedding(Path file) {
        Embedding.Builder embedding = Embedding.newBuilder();
        try {
            JsonFormat.parser().merge(new String(read(file), StandardCharsets.UTF_8), embedding);
        } catch (InvalidProtocolBufferException e) {
            throw new CommandFailure(
                    ExitCode.BAD_INPUT,
                    file + " is no embedding; `embed PHOTO --out FILE` writes one: " + firstLine(e.getMessage()));
        }
        return embedding.build();
    }

    /** A file that stays here. */
    static byte[] read(Path file) {
        return read(file, MAX_FILE_BYTES, "no more than " + MAX_FILE_BYTES + " are read");
    }

    private static byte[] read(Path file, long most, String otherwise) {
        try {
            if (Files.isDirectory(file)) {
                throw new CommandFailure(ExitCode.BAD_INPUT, file + " is a folder, not a file");
            }
            if (Files.size(file) > most) {
                throw new CommandFailure(
                        ExitCode.BAD_INPUT, file + " has " + Files.size(file) + " bytes; " + otherwise);
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new CommandFailure(ExitCode.BAD_INPUT, "there is no file " + file);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.BAD_INPUT, "cannot read " + file + ": " + e.getMessage());
        }
    }

    static String firstLine(@Nullable String text) {
        return text == null ? "unreadable" : text.lines().findFirst().orElse("unreadable");
    }
}
