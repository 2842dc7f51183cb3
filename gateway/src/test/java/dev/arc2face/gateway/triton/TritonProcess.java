package dev.arc2face.gateway.triton;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A real Triton, with the mini profile unless told otherwise, in a process of its own that ends with this JVM. It is ready when the
 * constructor returns, and can be killed and started again where it was.
 *
 * <p>The system property {@code arc2face.test.python} names the interpreter that has the packages of
 * {@code triton-models/requirements/serve.txt}; default: {@code .venv} at the top of the repository.
 */
public final class TritonProcess implements AutoCloseable {
    static final Path REPOSITORY_ROOT = Path.of("..").toAbsolutePath().normalize();
    static final Path PYTHON = Path.of(System.getProperty(
            "arc2face.test.python", REPOSITORY_ROOT.resolve(".venv/bin/python").toString()));

    private static final List<String> SERVING = List.of("-m", "serving");
    private static final String LOOPBACK = "127.0.0.1";

    private final List<String> program;
    private final String repository;
    private final String host;
    private final int port;
    private Process launcher;
    private long pid;

    /** Starts Triton on a free port. */
    public TritonProcess() {
        this(0);
    }

    /** Starts Triton on a port; 0 picks a free one. */
    public TritonProcess(int grpcPort) {
        this(SERVING, "mini", LOOPBACK, grpcPort);
    }

    /** Starts Triton with another model repository, on a free port. */
    public TritonProcess(Path repository) {
        this(SERVING, repository.toString(), LOOPBACK, 0);
    }

    /** Starts Triton with another model repository, at an address and a port; 0 picks a free one. */
    TritonProcess(Path repository, String host, int grpcPort) {
        this(SERVING, repository.toString(), host, grpcPort);
    }

    /** Starts a Triton that is live and never ready. */
    static TritonProcess neverReady() {
        Path program = REPOSITORY_ROOT.resolve("gateway/src/test/resources/repositories/never_ready.py");
        return new TritonProcess(
                List.of(program.toString()), ModelRepository.BROKEN.make().toString(), LOOPBACK, 0);
    }

    /** Starts Triton on a free port with options of its own. */
    static TritonProcess with(String... options) {
        List<String> program = new ArrayList<>(SERVING);
        for (String option : options) {
            program.add("--option=" + option);
        }
        return new TritonProcess(program, "mini", LOOPBACK, 0);
    }

    private TritonProcess(List<String> program, String repository, String host, int grpcPort) {
        this.program = program;
        this.repository = repository;
        this.host = host;
        JsonObject listening = start(grpcPort);
        port = listening.get("grpc").getAsInt();
    }

    /** Where it listens, or did: host:port of gRPC. */
    public String target() {
        return host + ":" + port;
    }

    int port() {
        return port;
    }

    /** Ends Triton as a crash would, by SIGKILL, and returns when it and its launcher are gone. */
    public void kill() {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        awaitEnd();
    }

    /** Ends the processes in which its models run, as a crash of theirs would; Triton starts others by and by. */
    void killBackends() {
        ProcessHandle.of(pid).stream().flatMap(ProcessHandle::descendants).forEach(ProcessHandle::destroyForcibly);
    }

    /** Freezes Triton: it holds its connections and answers nothing. {@link #kill} and {@link #thaw} still work. */
    public void freeze() {
        signal("STOP", pid);
    }

    /** Lets a frozen Triton go on. */
    public void thaw() {
        signal("CONT", pid);
    }

    /** Starts another Triton on the same port. */
    public void restart() {
        start(port);
    }

    /** Ends Triton in order. */
    @Override
    public void close() {
        launcher.destroy();
        awaitEnd();
    }

    private JsonObject start(int grpcPort) {
        try {
            List<String> command = new ArrayList<>(List.of(PYTHON.toString()));
            command.addAll(program);
            command.addAll(List.of("--repository", repository, "--json", "--die-with-parent"));
            command.addAll(List.of("--host", host, "--grpc-port", String.valueOf(grpcPort)));
            Path modules = REPOSITORY_ROOT.resolve("triton-models");
            ProcessBuilder builder =
                    new ProcessBuilder(command).directory(modules.toFile()).redirectError(Redirect.INHERIT);
            builder.environment().put("PYTHONPATH", modules.toString());
            launcher = builder.start();
            // It prints one line when all models are ready, or none, and ends.
            BufferedReader output = launcher.inputReader(UTF_8);
            String line = output.readLine();
            if (line == null) {
                throw new IllegalStateException("Triton did not start: exit code " + launcher.waitFor());
            }
            JsonObject listening = JsonParser.parseString(line).getAsJsonObject();
            pid = listening.get("pid").getAsLong();
            return listening;
        } catch (IOException error) {
            throw new UncheckedIOException(PYTHON + " cannot be run (make test installs it)", error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while Triton started", interrupted);
        }
    }

    private static void signal(String name, long process) {
        try {
            int status = new ProcessBuilder("kill", "-" + name, String.valueOf(process))
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IllegalStateException("kill -" + name + " " + process + " says " + status);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitEnd() {
        try {
            if (!launcher.waitFor(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("Triton's launcher does not end");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
