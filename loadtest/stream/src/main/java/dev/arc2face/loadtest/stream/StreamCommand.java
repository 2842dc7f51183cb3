package dev.arc2face.loadtest.stream;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line. Progress goes to standard error, the table at the end to standard output. */
@Command(
        name = "stream",
        description = {
            "Loads an Arc2Face gateway with generations and measures what their callers feel.",
            "Every latency counts from the moment when the call was meant to start."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class StreamCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private Load load = new Load();

    @Mixin
    private Mix mix = new Mix();

    @Option(names = "--json", paramLabel = "FILE", description = "Write everything that was measured to FILE.")
    private @Nullable Path json;

    private final List<String> arguments;

    StreamCommand(List<String> arguments) {
        this.arguments = arguments;
    }

    @Override
    public Integer call() throws IOException {
        LiveView view = new LiveView(System.err, isTerminal());
        Result result;
        try {
            result = new Run(load, mix, photos(), view).run();
        } catch (StatusRuntimeException e) {
            System.err.println("error: no gateway answers at " + load.target + ": " + e.getStatus());
            return 1;
        }
        view.clear();
        System.out.print(Table.of(result.recording(), result.windowSeconds()));
        System.out.printf(
                Locale.ROOT,
                "this tester took %.2f CPU seconds in the window, %.2f in all%n",
                result.cpuInWindow(),
                result.cpu());
        if (load.slowReaders > 0) {
            System.out.println("\nslow readers");
            System.out.print(Table.of(result.slowReaders(), result.windowSeconds()));
        }
        if (load.idleStreams > 0) {
            System.out.println(
                    "\nidle streams: " + result.idleStreams() + " opened, ended by the server: " + result.idleEnded());
        }
        if (json != null) {
            Files.writeString(json, JsonReport.of(result, arguments));
        }
        return 0;
    }

    private List<ByteString> photos() throws IOException {
        if (mix.photos == null) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(mix.photos)) {
            List<Path> photos = files.filter(
                            file -> file.toString().toLowerCase(Locale.ROOT).matches(".*\\.(jpe?g|png|webp)"))
                    .sorted()
                    .toList();
            if (photos.isEmpty() && spec != null) {
                throw new ParameterException(spec.commandLine(), "no photo in " + mix.photos);
            }
            return photos.stream().map(StreamCommand::read).toList();
        }
    }

    private static ByteString read(Path photo) {
        try {
            return ByteString.copyFrom(Files.readAllBytes(photo));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether a person looks at standard error on a terminal that can redraw. */
    private static boolean isTerminal() {
        String kind = System.getenv("TERM");
        try {
            return kind != null
                    && !kind.equals("dumb")
                    && Files.readSymbolicLink(Path.of("/proc/self/fd/2"))
                            .toString()
                            .startsWith("/dev/pts/");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
