package dev.arc2face.gateway.face;

import static dev.arc2face.gateway.FailureException.blaming;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.face.IdentitySource.AlignedFace;
import dev.arc2face.gateway.face.IdentitySource.Average;
import dev.arc2face.gateway.face.IdentitySource.GivenEmbedding;
import dev.arc2face.gateway.face.IdentitySource.Interpolation;
import dev.arc2face.gateway.face.IdentitySource.Photo;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.PixelAllowance;
import dev.arc2face.gateway.image.Pixels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** From what a caller sends to an identity. Safe to use from any number of threads. */
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
     *     FACE_INDEX_OUT_OF_RANGE, FACE_TOO_SMALL, EMBEDDING_INVALID, EMBEDDING_MODEL_MISMATCH, IDENTITIES_DISAGREE; what
     *     is the caller's fault points at the part of the API's IdentitySource that is to blame
     */
    public Identity read(IdentitySource source, StageClock clock) {
        return read(source, decoder.newAllowance(), clock);
    }

    private Identity read(IdentitySource source, PixelAllowance allowance, StageClock clock) {
        if (source instanceof Photo photo) {
            return readPhoto(photo, allowance, clock);
        }
        if (source instanceof AlignedFace face) {
            Embedding embedding = clock.time(Stage.EMBED, () -> recogniser.embed(face.crop()));
            return new Identity(embedding, FaceReport.withoutPhoto(FaceChoice.ALIGNED_CROP));
        }
        if (source instanceof GivenEmbedding given) {
            Embedding embedding = blaming("embedding", () -> recogniser.adopt(given));
            return new Identity(embedding, FaceReport.withoutPhoto(FaceChoice.EMBEDDING));
        }
        if (source instanceof Average average) {
            return blaming("average", () -> readAverage(average, allowance, clock));
        }
        return blaming("interpolation", () -> readInterpolation((Interpolation) source, allowance, clock));
    }

    private Identity readAverage(Average average, PixelAllowance allowance, StageClock clock) {
        List<Identity> sources = new ArrayList<>();
        for (int i = 0; i < average.sources().size(); i++) {
            IdentitySource source = average.sources().get(i);
            sources.add(blaming("sources[" + i + "]", () -> read(source, allowance, clock)));
        }
        Consensus consensus = Consensus.of(
                sources.stream().map(Identity::embedding).toList(), recogniser.samePersonThreshold()); // [n,D] to [D]
        List<SourceReport> reports = new ArrayList<>();
        for (int i = 0; i < sources.size(); i++) {
            reports.add(new SourceReport(
                    sources.get(i).report().ofUsedFace(),
                    OptionalDouble.of(consensus.similarities().get(i)),
                    consensus.members().get(i)));
        }
        return new Identity(consensus.embedding(), FaceReport.of(FaceChoice.AVERAGE, reports));
    }

    private Identity readInterpolation(Interpolation between, PixelAllowance allowance, StageClock clock) {
        Identity first = blaming("first", () -> read(between.first(), allowance, clock));
        Identity second = blaming("second", () -> read(between.second(), allowance, clock));
        List<SourceReport> reports = Stream.of(first, second)
                .map(end -> new SourceReport(end.report(), OptionalDouble.empty(), true))
                .toList();
        return new Identity(
                between.t().stream()
                        .map(t -> first.embedding().towards(second.embedding(), t))
                        .toList(), // [t,D]
                FaceReport.of(FaceChoice.INTERPOLATION, reports));
    }

    private Identity readPhoto(Photo source, PixelAllowance allowance, StageClock clock) {
        Pixels photo = blaming(
                "photo", () -> clock.time(Stage.DECODE, () -> decoder.decode(source.encoded(), allowance))); // [H,W,3]
        Detection detection = clock.time(Stage.DETECT, () -> detector.detect(photo));
        Face face = pick(detection, source.faceIndex());
        Pixels crop = clock.time(Stage.ALIGN, () -> detection.align(photo, face)); // [112,112,3]
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
                        detection.padded()));
    }

    private Face pick(Detection detection, OptionalInt index) {
        List<Face> faces = detection.faces();
        Face largest = detection
                .largest()
                .orElseThrow(() -> FailureException.of(
                                ErrorReason.NO_FACE_DETECTED,
                                "there is no face in the photo: send one that shows a face from the front, whole and in"
                                        + " good light")
                        .at("photo"));
        if (index.isPresent() && index.getAsInt() >= faces.size()) {
            throw FailureException.of(
                            ErrorReason.FACE_INDEX_OUT_OF_RANGE,
                            "there is no face " + index.getAsInt() + ": the photo's last one, counted from 0, is "
                                    + (faces.size() - 1),
                            Map.of(
                                    "face_index", String.valueOf(index.getAsInt()),
                                    "face_count", String.valueOf(faces.size())))
                    .at("face_index");
        }
        Face face = index.isPresent() ? faces.get(index.getAsInt()) : largest;
        if (face.box().shorterSide() < minFacePixels) {
            int actual = (int) face.box().shorterSide();
            throw FailureException.of(
                            ErrorReason.FACE_TOO_SMALL,
                            "the face is " + actual + " pixels wide or high, less than " + minFacePixels
                                    + ": send a larger photo of it",
                            Map.of(
                                    "threshold_pixels", String.valueOf(minFacePixels),
                                    "actual_pixels", String.valueOf(actual)))
                    .at("photo");
        }
        return face;
    }
}
