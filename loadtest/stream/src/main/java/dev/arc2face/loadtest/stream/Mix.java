package dev.arc2face.loadtest.stream;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say what the calls ask for. Where one has several values, the calls share them. */
final class Mix {
    enum Order {
        /** Every combination of the values in turn, so that all come equally often. */
        TURNS,
        /** Each value drawn by itself. */
        RANDOM
    }

    enum Format {
        PNG,
        JPEG
    }

    @Option(
            names = "--steps",
            paramLabel = "N",
            split = ",",
            description = "Denoising steps, such as 10,25,50 (default: the server's).")
    List<Integer> steps = List.of();

    @Option(
            names = "--images",
            paramLabel = "N",
            split = ",",
            defaultValue = "1",
            description = "Portraits of a request (default: ${DEFAULT-VALUE}).")
    List<Integer> images = List.of(1);

    @Option(
            names = "--deadline",
            paramLabel = "TIME",
            split = ",",
            defaultValue = "none",
            converter = Durations.Converter.class,
            description = "A call's deadline from its intended start, such as 2s,10s,none (default: ${DEFAULT-VALUE}).")
    List<Duration> deadlines = List.of(Duration.ZERO);

    @Option(
            names = "--order",
            paramLabel = "ORDER",
            defaultValue = "turns",
            description = "turns or random (default: ${DEFAULT-VALUE}).")
    Order order = Order.TURNS;

    @Option(
            names = "--guidance",
            paramLabel = "SCALE",
            description = "Guidance scale; 1 switches it off (default: the server's).")
    @Nullable
    Float guidance;

    @Option(names = "--scheduler", paramLabel = "ID", description = "Scheduler (default: the server's).")
    String scheduler = "";

    @Option(names = "--variant", paramLabel = "ID", description = "Which network draws (default: the server's).")
    String variant = "";

    @Option(names = "--format", paramLabel = "FORMAT", description = "png or jpeg (default: the server's).")
    @Nullable
    Format format;

    @Option(
            names = "--preview-every",
            paramLabel = "N",
            defaultValue = "0",
            description = "Previews after each N steps (default: none).")
    int previewEvery;

    @Option(
            names = "--photos",
            paramLabel = "DIR",
            description = "Send the photos of this folder in turn (default: random embeddings, one for each call).")
    @Nullable
    Path photos;

    @Option(
            names = "--cancel-after-steps",
            paramLabel = "K",
            defaultValue = "0",
            description = "Cancel when a call has done K steps (default: never).")
    int cancelAfterSteps;

    @Option(
            names = "--cancel-share",
            paramLabel = "SHARE",
            defaultValue = "1",
            description = "The share of the calls that do so, 0 to 1 (default: all).")
    double cancelShare = 1;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Seed of everything that is drawn here: arrivals, embeddings, mix (default: ${DEFAULT-VALUE}).")
    long seed = 1;
}
