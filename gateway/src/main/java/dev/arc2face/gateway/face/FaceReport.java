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
 * @param padded the face was seen only after a reflected border was added around a tight crop
 */
public record FaceReport(
        int photoWidth,
        int photoHeight,
        List<Face> faces,
        OptionalInt usedIndex,
        FaceChoice choice,
        boolean truncated,
        boolean padded) {
    public FaceReport {
        faces = List.copyOf(faces);
    }

    /** The report of a source in which nothing was detected. */
    static FaceReport withoutPhoto(FaceChoice choice) {
        return new FaceReport(0, 0, List.of(), OptionalInt.empty(), choice, false, false);
    }
}
