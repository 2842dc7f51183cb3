package dev.arc2face.gateway.cli;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.FaceReport;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentityScore;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.Preview;
import dev.arc2face.v1.Queued;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.StepProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** Writes the pictures of one generation into a folder and says what happens, for a person or as JSON. */
final class GenerationOutput {
    private final Terminal terminal;
    private final ProgressDisplay progress;
    private final boolean json;
    private final Path folder;
    private final String stem;
    private final List<Path> photos;

    private final List<PortraitImage> portraits = new ArrayList<>();
    private FaceReport faceReport = FaceReport.getDefaultInstance();
    private boolean completed;

    /**
     * Output of one generation.
     *
     * @param folder where the pictures go; made where it is missing
     * @param stem what their names start with
     * @param photos of the person, for what is said of them
     */
    GenerationOutput(
            Terminal terminal, ProgressDisplay progress, boolean json, Path folder, String stem, List<Path> photos) {
        this.terminal = terminal;
        this.progress = progress;
        this.json = json;
        this.folder = folder;
        this.stem = stem;
        this.photos = List.copyOf(photos);
    }

    void accept(GenerateResponse event) {
        Optional<Path> file = write(event);
        if (json) {
            terminal.out().println(Json.event(event, file));
            terminal.out().flush();
        }
        switch (event.getEventCase()) {
            case QUEUED -> showWaiting(event.getQueued());
            case FACE_REPORT -> {
                progress.begin();
                faceReport = event.getFaceReport();
                say(sentence(faceReport));
            }
            case STEP_PROGRESS -> showStep(event.getStepProgress());
            case IMAGE -> {
                portraits.add(event.getImage());
                file.ifPresent(path -> showPortrait(event.getImage(), path));
            }
            case COMPLETED -> {
                completed = true;
                writeReceipt(event.getCompleted());
                say(summary(event.getCompleted()));
            }
            // A preview's file is all there is to it; an event of a later version of the API says nothing here.
            case ACCEPTED, PREVIEW, EVENT_NOT_SET -> {}
        }
    }

    boolean isCompleted() {
        return completed;
    }

    FaceReport faceReport() {
        return faceReport;
    }

    /** In the order of their indexes; they may have come in another one. */
    List<PortraitImage> portraits() {
        return portraits.stream()
                .sorted(Comparator.comparingInt(PortraitImage::getImageIndex))
                .toList();
    }

    static OptionalDouble similarity(IdentityScore score) {
        return score.hasSimilarity() ? OptionalDouble.of(score.getSimilarity()) : OptionalDouble.empty();
    }

    static String similarityText(IdentityScore score) {
        return score.hasSimilarity()
                ? String.format(Locale.ROOT, "similarity %.3f", score.getSimilarity())
                : "no face found";
    }

    private Optional<Path> write(GenerateResponse event) {
        if (event.hasImage()) {
            PortraitImage image = event.getImage();
            String format = FormatConverter.name(image.getFormat());
            String extension = format.equals("jpeg") ? "jpg" : format;
            return Optional.of(write(image.getData(), unsigned(image.getSeed()) + "." + extension));
        }
        if (event.hasPreview()) {
            Preview preview = event.getPreview();
            return Optional.of(write(
                    preview.getJpeg(),
                    String.format(Locale.ROOT, "%s-step%03d.jpg", unsigned(preview.getSeed()), preview.getStep())));
        }
        return Optional.empty();
    }

    private Path write(ByteString data, String ending) {
        Path file = folder.resolve(stem + "-" + ending);
        try {
            Files.createDirectories(folder);
            Files.write(file, data.toByteArray());
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.OTHER, "cannot write " + file + ": " + e.getMessage());
        }
        return file;
    }

    /** Named after the first portrait's seed, so that the next generation does not overwrite it. */
    private void writeReceipt(Completed event) {
        if (event.hasReceipt() && event.getReceipt().getRequest().getSeedsCount() > 0) {
            Receipt receipt = event.getReceipt();
            Path file =
                    folder.resolve(stem + "-" + unsigned(receipt.getRequest().getSeeds(0)) + "-receipt.json");
            ReceiptFile.write(receipt, file);
            say("receipt " + file);
        }
    }

    private void showWaiting(Queued queued) {
        if (!json) {
            progress.waiting(
                    queued.getPosition(),
                    queued.hasExpectedWait() ? Optional.of(Durations.of(queued.getExpectedWait())) : Optional.empty());
        }
    }

    private void showStep(StepProgress step) {
        if (!json) {
            progress.step(step.getStep(), step.getTotalSteps(), Durations.of(step.getExpectedRemaining()));
        }
    }

    private void showPortrait(PortraitImage image, Path file) {
        if (!json) {
            progress.above(() -> {
                terminal.out()
                        .println(file + "  seed " + unsigned(image.getSeed()) + "  "
                                + similarityText(image.getIdentityScore()) + attemptsText(image));
                terminal.out().flush();
            });
        }
    }

    private static String attemptsText(PortraitImage image) {
        if (image.getBelowMinSimilarity()) {
            return "  below what was asked, the best of " + image.getAttempts();
        }
        return image.getAttempts() > 1 ? "  attempt " + image.getAttempts() : "";
    }

    private void say(String sentence) {
        if (!json) {
            progress.above(() -> terminal.err().println(sentence));
        }
    }

    private String summary(Completed event) {
        OptionalDouble mean = portraits.stream()
                .map(image -> similarity(image.getIdentityScore()))
                .flatMapToDouble(OptionalDouble::stream)
                .average();
        String count = portraits.size() == 1 ? "1 portrait" : portraits.size() + " portraits";
        return count + " in " + Durations.format(Durations.of(event.getElapsed()))
                + (mean.isPresent() ? String.format(Locale.ROOT, ", mean similarity %.3f", mean.getAsDouble()) : "")
                + (event.getRejected() > 0 ? ", " + event.getRejected() + " drawn again" : "");
    }

    private String sentence(FaceReport report) {
        return switch (report.getChoice()) {
            case FACE_CHOICE_LARGEST -> "using " + FaceText.of(report, photos) + ", the largest";
            case FACE_CHOICE_REQUESTED_INDEX -> "using " + FaceText.of(report, photos) + ", as asked for";
            case FACE_CHOICE_INTERPOLATION -> "between " + FaceText.of(report, photos);
            default -> "using " + FaceText.of(report, photos);
        };
    }

    private static String unsigned(int value) {
        return Integer.toUnsignedString(value);
    }
}
