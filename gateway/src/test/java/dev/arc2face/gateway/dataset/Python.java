package dev.arc2face.gateway.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs Python beside the models: numpy and DuckDB are the references for files that come from here or go there. */
public final class Python {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String INTERPRETER = System.getProperty(
            "arc2face.test.python", ROOT.resolve(".venv/bin/python").toString());

    private Python() {}

    /** What it prints, line by line. */
    public static List<String> run(String... arguments) {
        List<String> command = new ArrayList<>(List.of(INTERPRETER));
        command.addAll(List.of(arguments));
        ProcessBuilder python = new ProcessBuilder(command)
                .directory(ROOT.resolve("triton-models").toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        try {
            Process process = python.start();
            String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
            int status = process.waitFor();
            if (status != 0) {
                throw new IllegalStateException(String.join(" ", command) + " says " + status);
            }
            return printed.lines().toList();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while Python ran", interrupted);
        }
    }

    /** What {@code src/test/resources/datasets/NAME} prints. */
    static List<String> script(String name, Object... arguments) {
        List<String> all = new ArrayList<>(List.of(
                Path.of("src/test/resources/datasets", name).toAbsolutePath().toString()));
        for (Object argument : arguments) {
            all.add(argument.toString());
        }
        return run(all.toArray(String[]::new));
    }

    /** An identity prior fitted to the 200 held-out people, written into a folder. */
    public static Path identityPrior(Path folder) {
        Path file = folder.toAbsolutePath().resolve("prior.npz");
        run("-m", "training.identity_prior", "--embeddings", heldOut().toString(), "--out", file.toString());
        return file;
    }

    /** Embeddings [200,256] of people who do not exist and whom no training saw. */
    public static Path heldOut() {
        return ROOT.resolve("triton-models/evaluation/held_out.npy");
    }
}
