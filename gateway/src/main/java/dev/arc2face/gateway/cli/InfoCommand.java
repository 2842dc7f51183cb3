package dev.arc2face.gateway.cli;

import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.Limits;
import dev.arc2face.v1.SchedulerInfo;
import dev.arc2face.v1.ServedModel;
import dev.arc2face.v1.VariantInfo;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "info", description = "Says what the server serves: profile, models, limits, defaults, licences.")
final class InfoCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private Connection connection = new Connection();

    @Option(names = "--json", description = "Print the server's answer as a line of JSON.")
    private boolean json;

    InfoCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        GetModelInfoResponse info =
                connection.call(server -> server.getModelInfo(GetModelInfoRequest.getDefaultInstance()));
        if (json) {
            terminal.out().println(Json.line(info));
        } else {
            show(info);
        }
        return ExitCode.OK.number();
    }

    private void show(GetModelInfoResponse info) {
        row("profile", "%s, portraits of %dx%d pixels", info.getProfile(), info.getImageWidth(), info.getImageHeight());
        row(
                "recogniser",
                "%s, embeddings of %d values, one person's have a cosine of %.2f or more",
                info.getRecogniserId(),
                info.getEmbeddingSize(),
                info.getSamePersonThreshold());
        row(
                "schedulers",
                "%s",
                info.getSchedulersList().stream().map(SchedulerInfo::getId).collect(Collectors.joining(", ")));
        for (VariantInfo variant : info.getVariantsList()) {
            row(
                    "variant",
                    "%s: %s, %d steps, guidance %s%s",
                    variant.getId(),
                    variant.getDefaultScheduler(),
                    variant.getDefaultSteps(),
                    Float.toString(variant.getDefaultGuidanceScale()),
                    variant.getId().equals(info.getDefaults().getVariant()) ? " (default)" : "");
        }
        Limits limits = info.getLimits();
        row(
                "limits",
                "%d portraits, %d steps, photo of %.0f MiB and %.0f megapixels, face of %d pixels or more",
                limits.getMaxImages(),
                limits.getMaxSteps(),
                limits.getMaxPhotoBytes() / (double) (1 << 20),
                limits.getMaxPhotoPixels() / 1e6,
                limits.getMinFacePixels());
        row("places", "%d running, %d waiting", limits.getMaxRunning(), limits.getMaxQueued());
        row("server", "gateway %s, %s", info.getGatewayVersion(), info.getModelServer());
        info.getReceiptKeysList().stream()
                .limit(1) // those of earlier receipts are in the JSON
                .forEach(key -> row("receipts", "signed with key %s", key.getKeyId()));
        info.getModelsList().forEach(this::show);
        info.getLicenceNotesList().forEach(note -> row("note", "%s", note));
    }

    private void show(ServedModel model) {
        String hash = model.getSha256();
        row(
                "model",
                "%s %s, batch %d%s%s%s%s",
                model.getName(),
                model.getVersion(),
                model.getMaxBatchSize(),
                after(", ", model.getEngine()),
                after(", ", model.getInstructionSet()),
                after(", sha256 ", hash.substring(0, Math.min(12, hash.length()))),
                after(", ", model.getLicence()));
    }

    private static String after(String separator, String text) {
        return text.isEmpty() ? "" : separator + text;
    }

    private void row(String name, String format, Object... values) {
        terminal.out().println(String.format(Locale.ROOT, "%-11s ", name) + String.format(Locale.ROOT, format, values));
    }
}
