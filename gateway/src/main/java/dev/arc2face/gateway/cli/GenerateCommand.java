package dev.arc2face.gateway.cli;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.FaceReport;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.Interpolation;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.SourceReport;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "generate",
        description = {
            "Generates portraits of the person in a photo and writes them to OUT/NAME-SEED.png.",
            "NAME is the first photo's; the same seed and options give the same bytes.",
            "OUT/NAME-SEED-receipt.json says what they came from, for `replay` and `verify`.",
            "Several photos are of one person, and averaged; one that shows somebody else is left out."
        })
final class GenerateCommand implements Callable<Integer> {
    private final Terminal terminal;

    @ArgGroup(multiplicity = "1")
    private Who who = new Who();

    private static final class Who {
        @Parameters(
                paramLabel = "PHOTO",
                arity = "1..*",
                description = "JPEG, PNG or WebP, at most 16 MiB; several together at most 17.")
        private List<Path> photos = new ArrayList<>();

        @Option(
                names = "--embedding",
                paramLabel = "FILE",
                description = "An embedding that `embed --out` wrote, instead of a photo.")
        private @Nullable Path embedding;

        IdentitySource identity(@Nullable Integer faceIndex) {
            if (!photos.isEmpty()) {
                return Inputs.person(photos, faceIndex);
            }
            IdentitySource.Builder identity = IdentitySource.newBuilder().setEmbedding(Inputs.embedding(file()));
            if (faceIndex != null) {
                identity.setFaceIndex(faceIndex);
            }
            return identity.build();
        }

        Path file() {
            return photos.isEmpty() ? requireNonNull(embedding) : photos.get(0);
        }
    }

    @Option(
            names = "--mix",
            paramLabel = "OTHER",
            description = "Go from this person towards the one in this photo or embedding (*.json).")
    private @Nullable Path other;

    @Option(
            names = "--t",
            paramLabel = "T",
            split = ",",
            description =
                    "With --mix how far, 0 to 1; several, such as 0,0.5,1, are one for each portrait (default: 0.5).")
    private List<Float> shares = new ArrayList<>();

    @Option(
            names = "--min-similarity",
            paramLabel = "COSINE",
            description = "Draw a portrait again, with another seed, until it is so similar, above 0 to 1.")
    private @Nullable Float minSimilarity;

    @Option(
            names = "--max-attempts",
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "With --min-similarity how often it is drawn at most; then the best is taken (default: 4).")
    private @Nullable Integer maxAttempts;

    @Option(
            names = {"-n", "--images"},
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "Number of portraits (default: 1, or one for each --t).")
    private @Nullable Integer images;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "DIR",
            defaultValue = "out",
            description = "Folder for the pictures (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("out");

    @Mixin
    private DrawingOptions drawing = new DrawingOptions();

    @Option(
            names = "--seed",
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "Seed of the first portrait, the next ones count up (default: the server picks).")
    private @Nullable Integer seed;

    @Option(
            names = "--preview-every",
            paramLabel = "N",
            defaultValue = "0",
            converter = UnsignedInt.class,
            description = "Also write a rough preview after each N steps: OUT/NAME-SEED-stepNNN.jpg (default: none).")
    private int previewEvery;

    @Option(
            names = "--face-index",
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "Which of the photo's faces, as `detect` counts them (default: the largest).")
    private @Nullable Integer faceIndex;

    @Option(
            names = "--request-id",
            paramLabel = "ID",
            description = "Your name for this request, echoed and in the server's log (default: the server picks).")
    private @Nullable String requestId;

    @Option(
            names = "--contact-sheet",
            paramLabel = "FILE",
            description = "Also write one PNG with the input's face and all portraits.")
    private @Nullable Path contactSheet;

    @Mixin
    private Connection connection = new Connection();

    @Option(names = "--json", description = "Print each event as a line of JSON, pictures as file names.")
    private boolean json;

    GenerateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        GenerateRequest request = request();
        try (ProgressDisplay progress =
                new ProgressDisplay(terminal.err(), terminal.live(), InstantSource.system(), "step")) {
            GenerationOutput output = new GenerationOutput(terminal, progress, json, out, stem(who.file()), who.photos);
            ScheduledExecutorService ticker = progress.ticker();
            try {
                connection.call(server -> {
                    server.generate(request).forEachRemaining(output::accept);
                    return output;
                });
            } finally {
                ticker.shutdownNow();
            }
            if (!output.isCompleted()) {
                throw new CommandFailure(ExitCode.OTHER, "the server ended the stream before the generation was done");
            }
            if (contactSheet != null) {
                Drawing.writeComposite(contactSheet(request.getIdentity(), output), contactSheet);
                if (!json) {
                    progress.above(() -> terminal.out().println(contactSheet));
                }
            }
        }
        return ExitCode.OK.number();
    }

    private GenerateRequest request() {
        GenerateRequest.Builder request =
                GenerateRequest.newBuilder().setIdentity(identity()).setPreviewEvery(previewEvery);
        if (images != null) {
            request.setNumImages(images);
        } else if (shares.size() > 1) {
            request.setNumImages(shares.size());
        }
        if (minSimilarity != null) {
            request.setMinSimilarity(minSimilarity);
        }
        if (maxAttempts != null) {
            request.setMaxAttempts(maxAttempts);
        }
        drawing.applyTo(request);
        if (seed != null) {
            request.setSeed(seed);
        }
        if (requestId != null) {
            request.setRequestId(requestId);
        }
        return request.build();
    }

    private IdentitySource identity() {
        IdentitySource first = who.identity(faceIndex);
        if (other == null) {
            if (!shares.isEmpty()) {
                throw new CommandFailure(ExitCode.USAGE, "--t goes with --mix OTHER only");
            }
            return first;
        }
        return IdentitySource.newBuilder()
                .setInterpolation(Interpolation.newBuilder()
                        .setFirst(first)
                        .setSecond(Inputs.identity(other))
                        .addAllT(shares.isEmpty() ? List.of(0.5f) : shares))
                .build();
    }

    private static BufferedImage contactSheet(IdentitySource identity, GenerationOutput output) {
        ContactSheet sheet = new ContactSheet();
        addInputs(sheet, identity, output.faceReport(), "input");
        for (PortraitImage portrait : output.portraits()) {
            ByteString data = portrait.getData();
            sheet.add(Drawing.decode(data.toByteArray()), GenerationOutput.similarityText(portrait.getIdentityScore()));
        }
        return sheet.draw();
    }

    private static void addInputs(ContactSheet sheet, IdentitySource identity, FaceReport report, String caption) {
        if (identity.hasPhoto() && report.hasUsedIndex()) {
            BufferedImage photo = Drawing.decode(identity.getPhoto().toByteArray());
            sheet.add(ContactSheet.crop(photo, FaceText.used(report)), caption);
        }
        List<IdentitySource> parts = identity.hasInterpolation()
                ? List.of(
                        identity.getInterpolation().getFirst(),
                        identity.getInterpolation().getSecond())
                : identity.getAverage().getSourcesList();
        for (int i = 0; i < report.getSourcesCount(); i++) {
            SourceReport part = report.getSources(i);
            addInputs(sheet, parts.get(i), part.getFaceReport(), part.getUsed() ? caption : "left out");
        }
    }

    /** {@code photos/Eileen Collins.png} to {@code Eileen Collins}. */
    static String stem(Path file) {
        Path name = file.getFileName();
        String text = name == null ? file.toString() : name.toString();
        int dot = text.lastIndexOf('.');
        return dot > 0 ? text.substring(0, dot) : text;
    }
}
