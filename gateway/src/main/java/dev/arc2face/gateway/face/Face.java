package dev.arc2face.gateway.face;

import java.util.List;

/**
 * A detected face, in pixels of the upright photo.
 *
 * @param index position among the photo's faces by descending score, from 0
 * @param box clipped to the photo
 * @param score the detector's confidence, 0 to 1
 * @param landmarks image-left eye, image-right eye, nose, image-left mouth corner, image-right mouth corner; they may
 *     lie outside the photo
 */
public record Face(int index, Box box, float score, List<Point> landmarks) {
    /** Landmarks of a face. */
    public static final int LANDMARKS = 5;

    public Face {
        landmarks = List.copyOf(landmarks);
        if (landmarks.size() != LANDMARKS) {
            throw new IllegalArgumentException("a face has " + LANDMARKS + " landmarks, not " + landmarks.size());
        }
    }
}
