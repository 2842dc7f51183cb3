package dev.arc2face.gateway.grpc;

import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.util.Durations;
import dev.arc2face.gateway.admission.Turn;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.face.FaceReport;
import dev.arc2face.gateway.face.SourceReport;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.Face;
import dev.arc2face.v1.FaceChoice;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentityScore;
import dev.arc2face.v1.Point;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.Preview;
import dev.arc2face.v1.Queued;
import dev.arc2face.v1.StepProgress;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** What the domain says, as messages of the API. */
final class Responses {
    private Responses() {}

    /** @param shares where each portrait is between the two identities of an interpolation; empty without one */
    static GenerateResponse.Builder accepted(String requestId, GenerationOptions options, List<Float> shares) {
        Accepted.Builder accepted = Accepted.newBuilder()
                .setRequestId(requestId)
                .setNumImages(options.numImages())
                .setSteps(options.steps())
                .setGuidanceScale(options.guidanceScale())
                .setGuidanceUntil(options.guidanceUntil())
                .setVariant(options.variant().id())
                .setScheduler(options.scheduler().id())
                .setPreviewEvery(options.previewEvery())
                .setOutputFormat(format(options.format()))
                .setReproducible(options.reproducible())
                .setMaxAttempts(options.floor().maxAttempts())
                .addAllT(shares)
                .setJpegQuality(options.format() == ImageFormat.JPEG ? options.jpegQuality() : 0);
        options.floor().minSimilarity().ifPresent(least -> accepted.setMinSimilarity((float) least));
        for (int i = 0; i < options.numImages(); i++) {
            accepted.addSeeds(options.seed(i));
        }
        return GenerateResponse.newBuilder().setAccepted(accepted);
    }

    static GenerateResponse.Builder queued(Turn turn) {
        Queued.Builder queued = Queued.newBuilder().setPosition(turn.position());
        turn.expectedWait().ifPresent(wait -> queued.setExpectedWait(duration(wait)));
        return GenerateResponse.newBuilder().setQueued(queued);
    }

    /**
     * What callers are told; of a further attempt they learn by its steps.
     *
     * @param queued how long the generation waited for its turn; callers count from its acceptance
     * @param shares as in {@link #accepted}
     */
    static GenerateResponse.Builder event(
            GenerationEvent event, Duration queued, GenerationOptions options, List<Float> shares) {
        GenerateResponse.Builder response = GenerateResponse.newBuilder();
        if (event instanceof GenerationEvent.Identified identified) {
            return response.setFaceReport(report(identified.report()));
        }
        if (event instanceof GenerationEvent.Progress progress) {
            return response.setStepProgress(StepProgress.newBuilder()
                    .setStep((progress.attempt() - 1) * progress.total() + progress.step())
                    .setTotalSteps(options.floor().maxAttempts() * progress.total())
                    .setAttempt(progress.attempt())
                    .setNumImages(progress.portraits())
                    .setElapsed(duration(progress.elapsed().plus(queued)))
                    .setExpectedRemaining(duration(progress.expectedRemaining())));
        }
        if (event instanceof GenerationEvent.Preview preview) {
            return response.setPreview(Preview.newBuilder()
                    .setImageIndex(preview.imageIndex())
                    .setSeed(preview.seed())
                    .setStep(preview.step())
                    .setJpeg(UnsafeByteOperations.unsafeWrap(preview.jpeg()))
                    .setWidth(preview.width())
                    .setHeight(preview.height()));
        }
        if (event instanceof GenerationEvent.Portrait portrait) {
            PortraitImage.Builder image =
                    image(portrait).setBelowMinSimilarity(!options.floor().isReachedBy(portrait.score()));
            if (!shares.isEmpty()) {
                image.setT(shares.get(portrait.imageIndex()));
            }
            return response.setImage(image);
        }
        if (!(event instanceof GenerationEvent.Finished finished)) {
            throw new IllegalArgumentException("nothing that callers are told: " + event);
        }
        Completed.Builder completed = Completed.newBuilder()
                .setElapsed(duration(finished.elapsed().plus(queued)))
                .setUnetCalls(finished.unetCalls())
                .setRejected(finished.rejected());
        finished.timings()
                .forEach((stage, time) -> completed
                        .addTimingsBuilder()
                        .setStage(stage.name().toLowerCase(Locale.ROOT))
                        .setDuration(duration(time)));
        return response.setCompleted(completed);
    }

    static dev.arc2face.v1.FaceReport report(FaceReport report) {
        dev.arc2face.v1.FaceReport.Builder message = dev.arc2face.v1.FaceReport.newBuilder()
                .setPhotoWidth(report.photoWidth())
                .setPhotoHeight(report.photoHeight())
                .addAllFaces(faces(report.faces()))
                .setChoice(
                        switch (report.choice()) {
                            case LARGEST -> FaceChoice.FACE_CHOICE_LARGEST;
                            case REQUESTED_INDEX -> FaceChoice.FACE_CHOICE_REQUESTED_INDEX;
                            case ALIGNED_CROP -> FaceChoice.FACE_CHOICE_ALIGNED_CROP;
                            case EMBEDDING -> FaceChoice.FACE_CHOICE_EMBEDDING;
                            case AVERAGE -> FaceChoice.FACE_CHOICE_AVERAGE;
                            case INTERPOLATION -> FaceChoice.FACE_CHOICE_INTERPOLATION;
                        })
                .setTruncated(report.truncated())
                .setPadded(report.padded());
        report.usedIndex().ifPresent(message::setUsedIndex);
        for (SourceReport source : report.sources()) {
            dev.arc2face.v1.SourceReport.Builder part = message.addSourcesBuilder()
                    .setFaceReport(report(source.report()))
                    .setUsed(source.used());
            source.similarity().ifPresent(similarity -> part.setSimilarity((float) similarity));
        }
        return message.build();
    }

    static List<Face> faces(List<dev.arc2face.gateway.face.Face> faces) {
        return faces.stream().map(Responses::face).toList();
    }

    static Embedding embedding(dev.arc2face.gateway.face.Embedding embedding, String recogniserId) {
        Embedding.Builder message = Embedding.newBuilder().setRecogniserId(recogniserId);
        for (float value : embedding.values()) {
            message.addValues(value);
        }
        return message.build();
    }

    static dev.arc2face.v1.ImageFormat format(ImageFormat format) {
        return switch (format) {
            case PNG -> dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_PNG;
            case JPEG -> dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_JPEG;
            case WEBP -> dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_WEBP;
        };
    }

    private static Face face(dev.arc2face.gateway.face.Face face) {
        Face.Builder message = Face.newBuilder()
                .setIndex(face.index())
                .setLeft(face.box().left())
                .setTop(face.box().top())
                .setRight(face.box().right())
                .setBottom(face.box().bottom())
                .setScore(face.score());
        face.landmarks()
                .forEach(point ->
                        message.addLandmarks(Point.newBuilder().setX(point.x()).setY(point.y())));
        return message.build();
    }

    private static PortraitImage.Builder image(GenerationEvent.Portrait portrait) {
        IdentityScore.Builder score = IdentityScore.newBuilder();
        portrait.score()
                .ifPresentOrElse(
                        scored ->
                                score.setSimilarity((float) scored.similarity()).setFace(face(scored.face())),
                        () -> score.setNoFaceFound(true));
        return PortraitImage.newBuilder()
                .setImageIndex(portrait.imageIndex())
                .setSeed(portrait.seed())
                .setAttempts(portrait.attempts())
                .setData(UnsafeByteOperations.unsafeWrap(portrait.file().bytes()))
                .setFormat(format(portrait.format()))
                .setWidth(portrait.width())
                .setHeight(portrait.height())
                .setIdentityScore(score);
    }

    private static com.google.protobuf.Duration duration(Duration duration) {
        return Durations.fromNanos(duration.toNanos());
    }
}
