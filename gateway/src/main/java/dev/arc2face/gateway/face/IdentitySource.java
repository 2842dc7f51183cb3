package dev.arc2face.gateway.face;

import dev.arc2face.gateway.image.Pixels;
import java.util.OptionalInt;

/** What a caller sends to say who is meant. */
public sealed interface IdentitySource {
    /**
     * An encoded photo.
     *
     * @param encoded JPEG, PNG or WebP
     * @param faceIndex which face, by descending score; empty takes the largest
     */
    record Photo(byte[] encoded, OptionalInt faceIndex) implements IdentitySource {}

    /**
     * A face already warped to the ArcFace five-point template.
     *
     * @param crop 112x112
     */
    record AlignedFace(Pixels crop) implements IdentitySource {
        public AlignedFace {
            if (crop.width() != Aligner.SIDE || crop.height() != Aligner.SIDE) {
                throw new IllegalArgumentException("an aligned face is " + Aligner.SIDE + "x" + Aligner.SIDE + ", not "
                        + crop.width() + "x" + crop.height());
            }
        }
    }

    /**
     * An embedding computed earlier.
     *
     * @param values {@code [D]}, any length but zero
     * @param recogniserId the recogniser that computed it
     */
    record GivenEmbedding(float[] values, String recogniserId) implements IdentitySource {}
}
