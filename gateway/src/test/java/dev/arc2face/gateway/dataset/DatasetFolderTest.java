package dev.arc2face.gateway.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.dataset.DatasetException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetFolderTest {
    private static final byte[] IMAGE = "image".getBytes(UTF_8);
    private static final byte[] CROP = "crop".getBytes(UTF_8);

    @TempDir
    private Path temporary;

    private Path root() {
        return temporary.resolve("set");
    }

    private static Settings settings(int identities, long seed) {
        return new Settings(
                identities,
                2,
                seed,
                60,
                0.4f,
                4,
                new Settings.Drawing("base", 10, 1.5f, 1, "ddim", false, "png", 0),
                new Settings.Models("mini", "recogniser", 128, 128, new TreeMap<>(), "a licence", List.of("a note")),
                "prior",
                null,
                null);
    }

    private static Picture.Kept kept(DatasetFolder folder, int identity, int picture) {
        return new Picture.Kept(
                identity,
                picture,
                folder.imageFile(identity, picture),
                folder.alignedFile(identity, picture),
                0xffff_ffffL,
                0.5f,
                1,
                List.of(1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f, 9f, 10f),
                128,
                128,
                Hashes.sha256(IMAGE),
                Hashes.sha256(CROP),
                "recogniser",
                folder.settings().models().hash(),
                "a licence",
                null);
    }

    @Test
    void whatWasKeptIsThereWhenTheFolderIsOpenedAgain() throws IOException {
        Picture.Missed missed = new Picture.Missed(1, 0, 4);
        try (DatasetFolder folder = new DatasetFolder(root(), settings(3, 1))) {
            folder.keep(kept(folder, 1, 1), IMAGE, CROP);
            folder.miss(missed);
        }
        try (DatasetFolder folder = new DatasetFolder(root(), settings(3, 1))) {
            assertThat(folder.pictures(0)).isEmpty();
            assertThat(folder.pictures(1).values()).containsExactly(missed, kept(folder, 1, 1));
            assertThat(root().resolve("images/000001/0001.png")).hasBinaryContent(IMAGE);
            assertThat(root().resolve("aligned/000001/0001.png")).hasBinaryContent(CROP);
        }
    }

    @Test
    void aPictureWhoseFileIsMissingOrDamagedIsNotThere() throws IOException {
        try (DatasetFolder folder = new DatasetFolder(root(), settings(3, 1))) {
            for (int identity = 0; identity < 3; identity++) {
                folder.keep(kept(folder, identity, 0), IMAGE, CROP);
            }
            Files.delete(root().resolve("aligned/000000/0000.png"));
            Files.writeString(root().resolve("images/000001/0000.png"), "imag");
            assertThat(folder.pictures(0)).isEmpty();
            assertThat(folder.pictures(1)).isEmpty();
            assertThat(folder.pictures(2)).hasSize(1);
        }
    }

    @Test
    void aDamagedRecordIsNoRecord() throws IOException {
        try (DatasetFolder folder = new DatasetFolder(root(), settings(3, 1))) {
            folder.keep(kept(folder, 0, 0), IMAGE, CROP);
            folder.keep(kept(folder, 0, 1), IMAGE, CROP);
            Path part = root().resolve("parts/000000.jsonl");
            String lines = Files.readString(part);
            Files.writeString(part, lines.substring(0, lines.length() - 20));
            assertThat(folder.pictures(0).keySet()).containsExactly(0);
            folder.keep(kept(folder, 0, 1), IMAGE, CROP);
            assertThat(part).hasContent(lines);
        }
    }

    @Test
    void aFolderWithOtherSettingsIsRefusedAndTheDifferenceTold() throws IOException {
        new DatasetFolder(root(), settings(3, 1)).close();
        assertThatThrownBy(() -> new DatasetFolder(root(), settings(3, 2)))
                .isInstanceOfSatisfying(
                        DatasetException.class,
                        failure -> assertThat(failure.problem()).isEqualTo(Problem.FOLDER_HOLDS_SOMETHING_ELSE))
                .hasMessageContaining("seed is 1 there and 2 here")
                .hasMessageNotContaining("identities");
        Path other = Files.createDirectories(temporary.resolve("other"));
        Files.writeString(other.resolve("thesis.txt"), "years of work");
        assertThatThrownBy(() -> new DatasetFolder(other, settings(3, 1)))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("not empty");
        try (Stream<Path> files = Files.list(other)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void twoRunsDoNotWorkInOneFolder() throws IOException {
        try (DatasetFolder folder = new DatasetFolder(root(), settings(3, 1))) {
            assertThat(folder.pictures(0)).isEmpty();
            assertThatThrownBy(() -> new DatasetFolder(root(), settings(3, 1)))
                    .isInstanceOfSatisfying(
                            DatasetException.class,
                            failure -> assertThat(failure.problem()).isEqualTo(Problem.FOLDER_IN_USE));
        }
        new DatasetFolder(root(), settings(3, 1)).close();
    }

    @Test
    void onAFullDiskTheOldFileStaysAndTheNextAttemptSucceeds() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "old");
        // Linux's device that is always full, where the unfinished file would be written.
        Files.createSymbolicLink(temporary.resolve(".file.tmp"), Path.of("/dev/full"));
        assertThatThrownBy(() -> Replacement.write(file, IMAGE)).isInstanceOf(IOException.class);
        assertThat(file).hasContent("old");
        Replacement.write(file, IMAGE);
        assertThat(file).hasBinaryContent(IMAGE);
        try (Stream<Path> left = Files.list(temporary)) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void theCardCountsWhatTheManifestHas() throws IOException {
        Identities identities = new Identities(List.of(), 0.5f, -1);
        try (DatasetFolder folder = new DatasetFolder(root(), settings(3, 1))) {
            folder.keep(kept(folder, 0, 0), IMAGE, CROP);
            folder.keep(kept(folder, 2, 1), IMAGE, CROP);
            folder.miss(new Picture.Missed(2, 0, 4));
            Summary summary = folder.finish(Shard.WHOLE, identities);
            assertThat(summary).isEqualTo(new Summary(2, 2, 1, 6, 0.5, 0.5, null, null));
            assertThat(Files.readAllLines(root().resolve("manifest.jsonl")))
                    .containsExactly(
                            kept(folder, 0, 0).line(), kept(folder, 2, 1).line());
            assertThat(root().resolve("README.md"))
                    .content()
                    .contains("Nobody in these pictures exists", "| pictures | 2 |", "60.0 degrees", "a licence");
            assertThat(folder.finish(new Shard(2, 2), identities).pictures()).isZero();
        }
    }
}
