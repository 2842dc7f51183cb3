package dev.arc2face.gateway;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Folders for what a gateway under test reads; to be looked at afterwards, until the build folder is emptied. */
public final class Folders {
    private Folders() {}

    /** Makes an empty one. */
    public static Path create(String kind) throws IOException {
        Path root = Files.createDirectories(Path.of("target", "folders").toAbsolutePath());
        return Files.createTempDirectory(root, kind + "-");
    }
}
