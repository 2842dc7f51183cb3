package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Model repositories that {@code repositories/make.py} makes for tests. */
public enum ModelRepository {
    /** The mini profile, configured as the real one is. */
    FOR_GPU("for-gpu"),
    /** The mini profile, and its UNet once more with the guidance inside. */
    GUIDED("guided"),
    /** {@link #FOR_GPU} with FP16 between the networks of diffusion; its UNet for few steps has FP32. */
    HALF("half"),
    /** Tensors as large as those of Stable Diffusion v1-5, without its networks. */
    FULL_SIZE("full-size"),
    /** The mini profile with a network whose file is not the one that its configuration names. */
    BROKEN("broken");

    private final String kind;

    ModelRepository(String kind) {
        this.kind = kind;
    }

    /** Makes it anew. */
    public Path make() {
        Path root = TritonProcess.REPOSITORY_ROOT;
        try {
            Path folder = Folders.create(kind);
            ProcessBuilder script = new ProcessBuilder(
                            TritonProcess.PYTHON.toString(),
                            root.resolve("gateway/src/test/resources/repositories/make.py")
                                    .toString(),
                            kind,
                            folder.toString())
                    .inheritIO();
            script.environment().put("PYTHONPATH", root.resolve("triton-models").toString());
            int status = script.start().waitFor();
            if (status != 0) {
                throw new IllegalStateException("make.py " + kind + " says " + status);
            }
            return folder;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a repository was made", interrupted);
        }
    }
}
