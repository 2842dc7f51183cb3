package dev.arc2face.gateway.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.gateway.receipt.Differences;
import dev.arc2face.gateway.receipt.PictureCheck;
import dev.arc2face.gateway.receipt.PictureCheck.Finding;
import dev.arc2face.gateway.receipt.PictureCheck.Verdict;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PictureReceipt;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.StepProgress;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "replay",
        description = {
            "Makes a receipt's pictures again, and tells whether they are the same bytes; if not, what is different.",
            "Needs the photos that the receipt is of: it does not hold them."
        })
final class ReplayCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "RECEIPT", description = "What `generate` wrote beside its pictures.")
    @SuppressWarnings("NullAway.Init")
    private Path receiptFile;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "PHOTO",
            description = "The photo; or all photos, embeddings (JSON) and aligned faces, in the order of then.")
    private List<Path> files = new ArrayList<>();

    @Mixin
    private Connection connection = new Connection();

    @Option(names = "--json", description = "Print the result as a line of JSON.")
    private boolean json;

    /** What the server has made of it. */
    private static final class Again {
        private final Map<Integer, PortraitImage> portraits = new HashMap<>();
        private @Nullable Receipt receipt;
    }

    /** Whether a picture is the same, in a sentence. */
    private record Comparison(boolean same, String sentence) {}

    ReplayCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Receipt receipt = ReceiptFile.read(receiptFile);
        Finding whole = PictureCheck.whole(receipt);
        if (whole.verdict() == Verdict.BROKEN) {
            throw new CommandFailure(ExitCode.MISMATCH, whole.sentence());
        }
        Again again = generate(ReplayedRequest.of(receipt, files));
        if (again.receipt == null) {
            throw new CommandFailure(ExitCode.OTHER, "the server gives no receipts; it is older than this client");
        }
        List<Comparison> pictures = compare(receipt, again);
        List<String> differences = Differences.between(receipt, again.receipt).stream()
                .map(Terminal::harmless)
                .toList();
        boolean same = pictures.stream().allMatch(Comparison::same);
        if (json) {
            terminal.out().println(json(pictures, differences, same));
        } else {
            pictures.forEach(picture -> terminal.out().println(picture.sentence));
            differences.forEach(difference -> terminal.out().println(difference));
            terminal.out().println(same ? "the same bytes" : why(differences));
        }
        return (same ? ExitCode.OK : ExitCode.MISMATCH).number();
    }

    private static String why(List<String> differences) {
        return differences.isEmpty()
                ? "NOT the same bytes, although all that is known is the same: an engine on a GPU promises no more"
                        + " without `--reproducible`"
                : "NOT the same bytes";
    }

    private Again generate(GenerateRequest request) {
        Again again = new Again();
        try (ProgressDisplay progress =
                new ProgressDisplay(terminal.err(), terminal.live(), InstantSource.system(), "step")) {
            ScheduledExecutorService ticker = progress.ticker();
            try {
                return connection.call(server -> {
                    server.generate(request).forEachRemaining(event -> take(event, again, progress));
                    return again;
                });
            } finally {
                ticker.shutdownNow();
            }
        }
    }

    private void take(GenerateResponse event, Again again, ProgressDisplay progress) {
        switch (event.getEventCase()) {
            case IMAGE -> again.portraits.put(event.getImage().getImageIndex(), event.getImage());
            case COMPLETED -> {
                if (event.getCompleted().hasReceipt()) {
                    again.receipt = event.getCompleted().getReceipt();
                }
            }
            case STEP_PROGRESS -> {
                if (!json) {
                    StepProgress step = event.getStepProgress();
                    progress.step(step.getStep(), step.getTotalSteps(), Durations.of(step.getExpectedRemaining()));
                }
            }
            default -> {} // of who is in front, and of whom it shows, the receipt's owner knows
        }
    }

    private static List<Comparison> compare(Receipt receipt, Again again) {
        Map<Integer, PictureReceipt> now = new HashMap<>();
        if (again.receipt != null) {
            again.receipt.getPicturesList().forEach(picture -> now.put(picture.getImageIndex(), picture));
        }
        return receipt.getPicturesList().stream()
                .map(then -> {
                    PortraitImage image = again.portraits.get(then.getImageIndex());
                    boolean same = image != null
                            && Sha256.of(image.getData().toByteArray()).equals(then.getSha256());
                    PictureReceipt other = now.getOrDefault(then.getImageIndex(), PictureReceipt.getDefaultInstance());
                    boolean samePixels = other.getPixelsSha256().equals(then.getPixelsSha256());
                    String outcome =
                            same ? "the same bytes" : samePixels ? "the same pixels in another file" : "other pixels";
                    return new Comparison(
                            same,
                            "picture " + then.getImageIndex() + ", seed " + Integer.toUnsignedString(then.getSeed())
                                    + ": " + outcome);
                })
                .toList();
    }

    private static JsonObject json(List<Comparison> pictures, List<String> differences, boolean same) {
        JsonArray compared = new JsonArray();
        pictures.forEach(picture -> compared.add(picture.sentence));
        JsonArray different = new JsonArray();
        differences.forEach(different::add);
        JsonObject document = new JsonObject();
        document.addProperty("same", same);
        document.add("pictures", compared);
        document.add("differences", different);
        return document;
    }
}
