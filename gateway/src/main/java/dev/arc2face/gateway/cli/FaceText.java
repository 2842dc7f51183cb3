package dev.arc2face.gateway.cli;

import dev.arc2face.v1.Face;
import dev.arc2face.v1.FaceReport;
import dev.arc2face.v1.SourceReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Faces in words. */
final class FaceText {
    private FaceText() {}

    /** The face that a report with one says was used; of the photos of an average it has no others. */
    static Face used(FaceReport report) {
        return report.getFacesList().stream()
                .filter(face -> face.getIndex() == report.getUsedIndex())
                .findFirst()
                .orElseGet(Face::getDefaultInstance);
    }

    /**
     * What an identity was made of.
     *
     * @param files of the sources of an average
     */
    static String of(FaceReport report, List<Path> files) {
        return switch (report.getChoice()) {
            case FACE_CHOICE_LARGEST, FACE_CHOICE_REQUESTED_INDEX -> ofUsed(report);
            case FACE_CHOICE_ALIGNED_CROP -> "the aligned crop";
            case FACE_CHOICE_AVERAGE -> ofAverage(report, files);
            case FACE_CHOICE_INTERPOLATION ->
                of(report.getSources(0).getFaceReport(), files) + " and "
                        + of(report.getSources(1).getFaceReport(), List.of());
            default -> "the embedding";
        };
    }

    /** {@code the mean of 2 of 3; left out c.jpg (similarity 0.103)}. */
    private static String ofAverage(FaceReport report, List<Path> files) {
        List<String> leftOut = new ArrayList<>();
        for (int i = 0; i < report.getSourcesCount(); i++) {
            SourceReport source = report.getSources(i);
            if (!source.getUsed()) {
                String name = i < files.size() ? files.get(i).toString() : "number " + i;
                leftOut.add(String.format(Locale.ROOT, "%s (similarity %.3f)", name, source.getSimilarity()));
            }
        }
        int all = report.getSourcesCount();
        return leftOut.isEmpty()
                ? "the mean of " + all
                : "the mean of " + (all - leftOut.size()) + " of " + all + "; left out " + String.join(", ", leftOut);
    }

    /** {@code face 1 of 3 (114x141 pixels, score 0.999)}; the face that a report says was used. */
    static String ofUsed(FaceReport report) {
        Face face = used(report);
        return String.format(
                Locale.ROOT,
                "face %d of %d (%.0fx%.0f pixels, score %.3f)%s",
                face.getIndex(),
                report.getFacesCount(),
                face.getRight() - face.getLeft(),
                face.getBottom() - face.getTop(),
                face.getScore(),
                report.getPadded() ? " found with a border around the photo" : "");
    }

    /** {@code #0  score 0.999  at 178,83  91x120 pixels}. */
    static String row(Face face) {
        return String.format(
                Locale.ROOT,
                "#%d  score %.3f  at %.0f,%.0f  %.0fx%.0f pixels",
                face.getIndex(),
                face.getScore(),
                face.getLeft(),
                face.getTop(),
                face.getRight() - face.getLeft(),
                face.getBottom() - face.getTop());
    }
}
