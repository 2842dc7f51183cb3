package dev.arc2face.gateway.face;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.Pixels;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * From what a caller sends to an identity. A tight crop, in which the detector sees no face because there is nothing
 * around it, is tried once more with a reflected border. Safe to use from any number of threads.
 */
public final class IdentityReader {
    private final PhotoDecoder decoder;
    private final FaceDetector detector;
    private final Recogniser recogniser;
    private final int minFacePixels;

    /**
     * A reader.
     *
     * @param minFacePixels smallest face accepted: the shorter side of its box in pixels of the photo
     */
    public IdentityReader(PhotoDecoder decoder, FaceDetector detector, Recogniser recogniser, int minFacePixels) {
        this.decoder = decoder;
        this.detector = detector;
        this.recogniser = recogniser;
        this.minFacePixels = minFacePixels;
    }

    /**
     * Reads one identity.
     *
     * @param clock counts the stages passed
     * @throws FailureException as {@link PhotoDecoder#decode} and the models fail; NO_FACE_DETECTED,
     *     FACE_INDEX_OUT_OF_RANGE, FACE_TOO_SMALL, EMBEDDING_INVALID, EMBEDDING_MODEL_MISMATCH
     */
    public Identity read(IdentitySource source, StageClock clock) {
        if (source instanceof IdentitySource.Photo photo) {
            return readPhoto(photo, clock);
        }
        if (source instanceof IdentitySource.AlignedFace face) {
            Embedding embedding = clock.time(Stage.EMBED, () -> recogniser.embed(face.crop()));
            return new Identity(embedding, FaceReport.withoutPhoto(FaceChoice.ALIGNED_CROP));
        }
        IdentitySource.GivenEmbedding given = (IdentitySource.GivenEmbedding) source;
        return new Identity(recogniser.adopt(given), FaceReport.withoutPhoto(FaceChoice.EMBEDDING));
    }

    private Identity readPhoto(IdentitySource.Photo source, StageClock clock) {
        Pixels photo = clock.time(Stage.DECODE, () -> decoder.decode(source.encoded())); // [H,W,3]
        Detection inPhoto = clock.time(Stage.DETECT, () -> detector.detect(photo));
        boolean padded = inPhoto.faces().isEmpty();
        Detection detection = padded ? clock.time(Stage.DETECT, () -> detector.detectWithinBorder(photo)) : inPhoto;
        Face face = pick(detection.faces(), source.faceIndex());
        Pixels crop = clock.time(
                Stage.ALIGN,
                () -> padded
                        ? Aligner.alignWithinBorder(photo, face.landmarks())
                        : Aligner.align(photo, face.landmarks())); // [112,112,3]
        Embedding embedding = clock.time(Stage.EMBED, () -> recogniser.embed(crop)); // [D]
        return new Identity(
                embedding,
                new FaceReport(
                        photo.width(),
                        photo.height(),
                        detection.faces(),
                        OptionalInt.of(face.index()),
                        source.faceIndex().isPresent() ? FaceChoice.REQUESTED_INDEX : FaceChoice.LARGEST,
                        detection.truncated(),
                        padded));
    }

    private Face pick(List<Face> faces, OptionalInt index) {
        if (faces.isEmpty()) {
            throw FailureException.of(
                    ErrorReason.NO_FACE_DETECTED,
                    "there is no face in the photo: send one that shows a face from the front, whole and in good"
                            + " light");
        }
        if (index.isPresent() && index.getAsInt() >= faces.size()) {
            throw FailureException.of(
                    ErrorReason.FACE_INDEX_OUT_OF_RANGE,
                    "the photo has " + faces.size() + " faces, counted from 0, but no face " + index.getAsInt(),
                    Map.of(
                            "face_index", String.valueOf(index.getAsInt()),
                            "face_count", String.valueOf(faces.size())));
        }
        Face face = index.isPresent() ? faces.get(index.getAsInt()) : largest(faces);
        if (face.box().shorterSide() < minFacePixels) {
            int actual = (int) face.box().shorterSide();
            throw FailureException.of(
                    ErrorReason.FACE_TOO_SMALL,
                    "the face is " + actual + " pixels wide or high, less than " + minFacePixels
                            + ": send a larger photo of it",
                    Map.of(
                            "threshold_pixels", String.valueOf(minFacePixels),
                            "actual_pixels", String.valueOf(actual)));
        }
        return face;
    }

    /** By the area of the box; a tie goes to the higher score, that is to the first. */
    static Face largest(List<Face> faces) {
        return faces.stream()
                .max(Comparator.comparingDouble((Face face) -> face.box().area())
                        .thenComparing(Face::index, Comparator.reverseOrder()))
                .orElseThrow();
    }
}
