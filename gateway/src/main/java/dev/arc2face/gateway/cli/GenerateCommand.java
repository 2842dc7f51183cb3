package dev.arc2face.gateway.cli;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.FaceReport;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.PortraitImage;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.time.InstantSource;
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
            "NAME is the photo's; the same seed and options give the same bytes."
        })
final class GenerateCommand implements Callable<Integer> {
    private final Terminal terminal;

    @ArgGroup(multiplicity = "1")
    private Who who = new Who();

    private static final class Who {
        @Parameters(paramLabel = "PHOTO", description = "JPEG, PNG or WebP, at most 16 MiB.")
        private @Nullable Path photo;

        @Option(
                names = "--embedding",
                paramLabel = "FILE",
                description = "An embedding that `embed --out` wrote, instead of a photo.")
        private @Nullable Path embedding;

        IdentitySource identity(@Nullable Integer faceIndex) {
            IdentitySource.Builder identity = IdentitySource.newBuilder();
            if (photo != null) {
                identity.setPhoto(Inputs.photo(photo));
            } else {
                identity.setEmbedding(Inputs.embedding(file()));
            }
            if (faceIndex != null) {
                identity.setFaceIndex(faceIndex);
            }
            return identity.build();
        }

        Path file() {
            return photo != null ? photo : requireNonNull(embedding);
        }
    }

    @Option(
            names = {"-n", "--images"},
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "Number of portraits (default: 1).")
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
            GenerationOutput output = new GenerationOutput(terminal, progress, json, out, stem(who.file()));
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
                Drawing.writePng(contactSheet(request.getIdentity(), output), contactSheet);
                if (!json) {
                    progress.above(() -> terminal.out().println(contactSheet));
                }
            }
        }
        return ExitCode.OK.number();
    }

    private GenerateRequest request() {
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setIdentity(who.identity(faceIndex))
                .setPreviewEvery(previewEvery);
        if (images != null) {
            request.setNumImages(images);
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

    private static BufferedImage contactSheet(IdentitySource identity, GenerationOutput output) {
        ContactSheet sheet = new ContactSheet();
        FaceReport report = output.faceReport();
        if (identity.hasPhoto() && report.hasUsedIndex()) {
            BufferedImage photo = Drawing.decode(identity.getPhoto().toByteArray());
            sheet.add(ContactSheet.crop(photo, report.getFaces(report.getUsedIndex())), "input");
        }
        for (PortraitImage portrait : output.portraits()) {
            ByteString data = portrait.getData();
            sheet.add(Drawing.decode(data.toByteArray()), GenerationOutput.similarityText(portrait.getIdentityScore()));
        }
        return sheet.draw();
    }

    /** {@code photos/Eileen Collins.png} to {@code Eileen Collins}. */
    static String stem(Path file) {
        Path name = file.getFileName();
        String text = name == null ? file.toString() : name.toString();
        int dot = text.lastIndexOf('.');
        return dot > 0 ? text.substring(0, dot) : text;
    }
}
