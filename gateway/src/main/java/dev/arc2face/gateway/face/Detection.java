package dev.arc2face.gateway.face;

import dev.arc2face.gateway.image.Pixels;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What the detector saw in one picture.
 *
 * @param faces by descending score, {@code faces.get(i).index() == i}
 * @param truncated the detector's list was full: there may be more faces
 * @param padded seen with a reflected border around the picture
 */
public record Detection(List<Face> faces, boolean truncated, boolean padded) {
    public Detection {
        faces = List.copyOf(faces);
    }

    /** By the area of the box; a tie goes to the higher score, that is to the first. */
    public Optional<Face> largest() {
        return faces.stream()
                .max(Comparator.comparingDouble((Face face) -> face.box().area())
                        .thenComparing(Face::index, Comparator.reverseOrder()));
    }

    /**
     * The aligned crop of one of the faces.
     *
     * @param picture [H,W,3], in which it was seen
     * @return [112,112,3]
     */
    Pixels align(Pixels picture, Face face) {
        return padded ? Aligner.alignWithinBorder(picture, face.landmarks()) : Aligner.align(picture, face.landmarks());
    }
}
