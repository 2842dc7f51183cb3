package dev.arc2face.gateway.grpc;

import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.util.Durations;
import dev.arc2face.gateway.admission.Turn;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.face.FaceReport;
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

    static GenerateResponse.Builder accepted(String requestId, GenerationOptions options) {
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
                .setJpegQuality(options.format() == ImageFormat.JPEG ? options.jpegQuality() : 0);
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

    /** @param queued how long the generation waited for its turn; callers count from its acceptance */
    static GenerateResponse.Builder event(GenerationEvent event, Duration queued) {
        GenerateResponse.Builder response = GenerateResponse.newBuilder();
        if (event instanceof GenerationEvent.Identified identified) {
            return response.setFaceReport(report(identified.report()));
        }
        if (event instanceof GenerationEvent.Progress progress) {
            return response.setStepProgress(StepProgress.newBuilder()
                    .setStep(progress.step())
                    .setTotalSteps(progress.total())
                    .setElapsed(duration(progress.elapsed().plus(queued)))
                    .setExpectedRemaining(duration(progress.expectedRemaining())));
        }
        if (event instanceof GenerationEvent.Preview preview) {
            return response.setPreview(Preview.newBuilder()
                    .setImageIndex(preview.imageIndex())
                    .setStep(preview.step())
                    .setJpeg(UnsafeByteOperations.unsafeWrap(preview.jpeg()))
                    .setWidth(preview.width())
                    .setHeight(preview.height()));
        }
        if (event instanceof GenerationEvent.Portrait portrait) {
            return response.setImage(image(portrait));
        }
        GenerationEvent.Finished finished = (GenerationEvent.Finished) event;
        Completed.Builder completed = Completed.newBuilder()
                .setElapsed(duration(finished.elapsed().plus(queued)))
                .setUnetCalls(finished.unetCalls());
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
                        })
                .setTruncated(report.truncated())
                .setPadded(report.padded());
        report.usedIndex().ifPresent(message::setUsedIndex);
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

    private static PortraitImage image(GenerationEvent.Portrait portrait) {
        IdentityScore.Builder score = IdentityScore.newBuilder();
        portrait.score()
                .ifPresentOrElse(
                        scored ->
                                score.setSimilarity((float) scored.similarity()).setFace(face(scored.face())),
                        () -> score.setNoFaceFound(true));
        return PortraitImage.newBuilder()
                .setImageIndex(portrait.imageIndex())
                .setSeed(portrait.seed())
                .setData(UnsafeByteOperations.unsafeWrap(portrait.data()))
                .setFormat(format(portrait.format()))
                .setWidth(portrait.width())
                .setHeight(portrait.height())
                .setIdentityScore(score)
                .build();
    }

    private static com.google.protobuf.Duration duration(Duration duration) {
        return Durations.fromNanos(duration.toNanos());
    }
}
