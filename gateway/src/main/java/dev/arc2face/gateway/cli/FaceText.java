package dev.arc2face.gateway.cli;

import dev.arc2face.v1.Face;
import dev.arc2face.v1.FaceReport;
import java.util.Locale;

/** Faces in words. */
final class FaceText {
    private FaceText() {}

    /** {@code face 1 of 3 (114x141 pixels, score 0.999)}; the face that a report says was used. */
    static String ofUsed(FaceReport report) {
        Face face = report.getFaces(report.getUsedIndex());
        return String.format(
                Locale.ROOT,
                "face %d of %d (%.0fx%.0f pixels, score %.3f)%s",
                face.getIndex(),
                report.getFacesCount(),
                face.getRight() - face.getLeft(),
                face.getBottom() - face.getTop(),
                face.getScore(),
                report.getPadded() ? " found after a border was added" : "");
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
