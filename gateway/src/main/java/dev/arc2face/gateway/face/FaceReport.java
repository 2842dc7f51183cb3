package dev.arc2face.gateway.face;

import java.util.List;
import java.util.OptionalInt;

/**
 * What the detector saw and what was used.
 *
 * @param photoWidth of the upright photo in pixels; 0 without a photo
 * @param photoHeight of the upright photo in pixels; 0 without a photo
 * @param faces all faces by descending score, in pixels of the upright photo
 * @param usedIndex the face used; empty without a photo
 * @param choice why that one
 * @param truncated the detector's list was full: there may be more faces
 * @param padded the faces were seen with a reflected border around the photo
 * @param sources what the identity was made of, where it is an average or an interpolation
 */
public record FaceReport(
        int photoWidth,
        int photoHeight,
        List<Face> faces,
        OptionalInt usedIndex,
        FaceChoice choice,
        boolean truncated,
        boolean padded,
        List<SourceReport> sources) {
    public FaceReport {
        faces = List.copyOf(faces);
        sources = List.copyOf(sources);
    }

    /** The report of a single source. */
    public FaceReport(
            int photoWidth,
            int photoHeight,
            List<Face> faces,
            OptionalInt usedIndex,
            FaceChoice choice,
            boolean truncated,
            boolean padded) {
        this(photoWidth, photoHeight, faces, usedIndex, choice, truncated, padded, List.of());
    }

    /** The report of an identity that was made of several. */
    static FaceReport of(FaceChoice choice, List<SourceReport> sources) {
        return new FaceReport(0, 0, List.of(), OptionalInt.empty(), choice, false, false, sources);
    }

    /** The same without the faces that were not used: of sixteen photos there may be thousands. */
    FaceReport ofUsedFace() {
        List<Face> used = faces.stream()
                .filter(face -> face.index() == usedIndex.orElse(-1))
                .toList();
        return new FaceReport(photoWidth, photoHeight, used, usedIndex, choice, truncated, padded, sources);
    }

    /** The report of a source in which nothing was detected. */
    static FaceReport withoutPhoto(FaceChoice choice) {
        return new FaceReport(0, 0, List.of(), OptionalInt.empty(), choice, false, false);
    }
}
