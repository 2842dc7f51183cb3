package dev.arc2face.gateway.face;

import dev.arc2face.gateway.image.Pixels;
import java.util.List;
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

    /**
     * Several sources of one person.
     *
     * @param sources at least two, none made of others itself
     */
    record Average(List<IdentitySource> sources) implements IdentitySource {
        public Average {
            sources = List.copyOf(sources);
            if (sources.size() < 2
                    || sources.stream()
                            .anyMatch(source -> source instanceof Average || source instanceof Interpolation)) {
                throw new IllegalArgumentException("an average of what is none");
            }
        }
    }

    /**
     * Somebody between two identities.
     *
     * @param first where {@code t} is 0; no interpolation itself
     * @param second where it is 1; no interpolation itself
     * @param t 0 to 1; one for all portraits, or one for each
     */
    record Interpolation(IdentitySource first, IdentitySource second, List<Float> t) implements IdentitySource {
        public Interpolation {
            t = List.copyOf(t);
            if (first instanceof Interpolation
                    || second instanceof Interpolation
                    || t.isEmpty()
                    || !t.stream().allMatch(share -> share >= 0 && share <= 1)) {
                throw new IllegalArgumentException("an interpolation between what is none, at " + t);
            }
        }
    }
}
