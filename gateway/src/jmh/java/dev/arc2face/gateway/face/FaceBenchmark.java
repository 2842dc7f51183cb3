package dev.arc2face.gateway.face;

import dev.arc2face.gateway.OperationBenchmark;
import dev.arc2face.gateway.image.Letterbox;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.image.SyntheticPicture;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;

/** One operation: bring one photo of 1920x1280 pixels, or the face in it, to the size that a network takes. */
public class FaceBenchmark extends OperationBenchmark {
    private static final int DETECTOR_SIDE = 640;

    private final Pixels photo = SyntheticPicture.draw(1920, 1280);

    /** Of a face 500 pixels wide, its head inclined. */
    private final List<Point> landmarks = List.of(
            new Point(843, 548), new Point(1075, 592), new Point(934, 712), new Point(827, 804), new Point(1018, 841));

    /** The photo in the detector's square of 640x640 pixels. */
    @Benchmark
    public Letterbox letterbox() {
        return Letterbox.of(photo, DETECTOR_SIDE);
    }

    /** The face, by its five landmarks, in the recogniser's square of 112x112 pixels. */
    @Benchmark
    public Pixels align() {
        return Aligner.align(photo, landmarks);
    }

    /** The same, the photo reflected beyond its edges. */
    @Benchmark
    public Pixels alignWithinBorder() {
        return Aligner.alignWithinBorder(photo, landmarks);
    }
}
