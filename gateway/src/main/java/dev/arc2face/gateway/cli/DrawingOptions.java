package dev.arc2face.gateway.cli;

import dev.arc2face.gateway.dataset.Settings;
import dev.arc2face.gateway.provenance.Network;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.ServedModel;
import dev.arc2face.v1.VariantInfo;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say how portraits are drawn and encoded, whoever they show. */
final class DrawingOptions {
    @Option(
            names = "--variant",
            paramLabel = "ID",
            description =
                    "Which network draws, one of those that `info` lists, such as lcm for few steps (default: base).")
    private @Nullable String variant;

    @Option(
            names = "--steps",
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "Denoising steps (default: the variant's).")
    private @Nullable Integer steps;

    @Option(
            names = "--guidance",
            paramLabel = "SCALE",
            description = "Classifier-free guidance scale; 1 switches guidance off (default: the variant's).")
    private @Nullable Float guidance;

    @Option(
            names = "--guidance-until",
            paramLabel = "SHARE",
            description =
                    "Guide this share of the steps only, from the first on, above 0 to 1; the others take half the"
                            + " time (default: 1).")
    private @Nullable Float guidanceUntil;

    @Option(names = "--reproducible", description = "Share no batch, so that a GPU rounds as it did before; slower.")
    private boolean reproducible;

    @Option(
            names = "--scheduler",
            paramLabel = "ID",
            description = "One of those that `info` lists (default: the variant's).")
    private @Nullable String scheduler;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            converter = FormatConverter.class,
            description = "png, jpeg or webp, which is lossless (default: png).")
    private @Nullable ImageFormat format;

    @Option(
            names = "--jpeg-quality",
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "1 to 100, with jpeg only (default: 92).")
    private @Nullable Integer jpegQuality;

    /** Sets what was said and nothing else. */
    void applyTo(GenerateRequest.Builder request) {
        if (variant != null) {
            request.setVariant(variant);
        }
        if (steps != null) {
            request.setSteps(steps);
        }
        if (guidance != null) {
            request.setGuidanceScale(guidance);
        }
        if (guidanceUntil != null) {
            request.setGuidanceUntil(guidanceUntil);
        }
        request.setReproducible(reproducible);
        if (scheduler != null) {
            request.setScheduler(scheduler);
        }
        if (format != null) {
            request.setOutputFormat(format);
        }
        if (jpegQuality != null) {
            request.setJpegQuality(jpegQuality);
        }
    }

    /**
     * What was said, and for the rest what the server does now: it may do otherwise later.
     *
     * @throws CommandFailure where the variant is not served
     */
    Settings.Drawing resolve(GetModelInfoResponse info) {
        VariantInfo served = variant(info);
        ImageFormat chosen = format != null ? format : ImageFormat.IMAGE_FORMAT_PNG;
        int quality = jpegQuality != null ? jpegQuality : info.getDefaults().getJpegQuality();
        return new Settings.Drawing(
                served.getId(),
                steps != null ? steps : served.getDefaultSteps(),
                guidance != null ? guidance : served.getDefaultGuidanceScale(),
                guidanceUntil != null ? guidanceUntil : 1,
                scheduler != null ? scheduler : served.getDefaultScheduler(),
                reproducible,
                FormatConverter.name(chosen),
                chosen == ImageFormat.IMAGE_FORMAT_JPEG ? quality : 0);
    }

    /** The networks that draw and judge: all that are served, but for other variants'. */
    Settings.Models models(GetModelInfoResponse info) {
        String unet = variant(info).getModel();
        Set<String> others = info.getVariantsList().stream()
                .map(VariantInfo::getModel)
                .filter(model -> !model.equals(unet))
                .collect(Collectors.toSet());
        SortedMap<String, String> hashes = new TreeMap<>();
        SortedSet<String> licences = new TreeSet<>();
        for (ServedModel model : info.getModelsList()) {
            if (!others.contains(model.getName())) {
                hashes.put(model.getName(), model.getSha256());
                if (Network.draws(model.getName()) && !model.getLicence().isEmpty()) { // a judge's is not the pictures'
                    licences.add(model.getLicence());
                }
            }
        }
        return new Settings.Models(
                info.getProfile(),
                info.getRecogniserId(),
                info.getImageWidth(),
                info.getImageHeight(),
                hashes,
                licences.isEmpty() ? "not told" : String.join("; ", licences),
                info.getLicenceNotesList());
    }

    private VariantInfo variant(GetModelInfoResponse info) {
        String id = variant != null ? variant : info.getDefaults().getVariant();
        return info.getVariantsList().stream()
                .filter(served -> served.getId().equals(id))
                .findFirst()
                .orElseThrow(() -> new CommandFailure(
                        ExitCode.BAD_INPUT, "the server has no variant '" + id + "'; `info` lists the variants"));
    }
}
