package dev.arc2face.gateway.face;

import java.util.List;

/**
 * What the detector saw in one picture.
 *
 * @param faces by descending score, {@code faces.get(i).index() == i}
 * @param truncated the detector's list was full: there may be more faces
 */
public record Detection(List<Face> faces, boolean truncated) {
    public Detection {
        faces = List.copyOf(faces);
    }
}
