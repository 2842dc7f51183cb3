package dev.arc2face.gateway.face;

import static java.util.Objects.requireNonNull;

import dev.arc2face.gateway.image.Letterbox;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Sizes;
import dev.arc2face.gateway.triton.Tensor;
import dev.arc2face.gateway.triton.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Finds faces. A picture in which the detector sees nobody, or one face that fills the picture, is looked at once more
 * with a reflected border: detectors want to see something around a face. What it says of a picture does not depend on
 * the pictures beside it. Safe to use from any number of threads; fails as {@link Model#infer} does.
 */
public final class FaceDetector {
    private static final String BORDER_FROM = "border_from";

    private final Model model;
    private final double borderFrom;
    private final int side;
    private final int maxFaces;

    /**
     * A detector.
     *
     * @param model the contract's {@code face_detector}
     * @throws dev.arc2face.gateway.FailureException MODEL_CONTRACT_VIOLATED where its {@code border_from} is no share
     */
    public FaceDetector(Model model, Sizes sizes) {
        this.model = model;
        borderFrom = model.parameter(BORDER_FROM)
                .map(text -> borderFrom(model.name(), text))
                .orElse(Double.POSITIVE_INFINITY);
        side = sizes.detectorSide();
        maxFaces = sizes.maxFaces();
    }

    /** The faces of one photo. */
    public Detection detect(Pixels photo) {
        return detectAll(List.of(photo)).get(0);
    }

    /**
     * The faces of each picture.
     *
     * @param pictures of any sizes
     */
    public List<Detection> detectAll(List<Pixels> pictures) {
        List<Detection> detections = new ArrayList<>();
        for (List<Pixels> chunk : Chunks.of(pictures, model.maxBatchSize())) {
            detections.addAll(detectChunk(chunk));
        }
        return detections;
    }

    private List<Detection> detectChunk(List<Pixels> pictures) {
        List<Detection> detections = new ArrayList<>(look(pictures, false));
        List<Integer> tight = IntStream.range(0, pictures.size())
                .filter(i -> isTight(detections.get(i), pictures.get(i)))
                .boxed()
                .toList();
        if (tight.isEmpty()) {
            return detections;
        }
        List<Detection> again = look(tight.stream().map(pictures::get).toList(), true);
        for (int i = 0; i < tight.size(); i++) {
            Detection padded = again.get(i);
            // Small faces beside the one that fills the picture may be too small with a border: nobody is lost by it.
            if (padded.faces().size()
                    >= Math.max(1, detections.get(tight.get(i)).faces().size())) {
                detections.set(tight.get(i), padded);
            }
        }
        return detections;
    }

    private boolean isTight(Detection detection, Pixels picture) {
        return detection
                .largest()
                .map(face -> face.box().width() >= borderFrom * picture.width()
                        || face.box().height() >= borderFrom * picture.height())
                .orElse(true);
    }

    /** One call of the model. Faces of the border itself are left out. */
    private List<Detection> look(List<Pixels> pictures, boolean padded) {
        List<Letterbox> letterboxes = pictures.stream()
                .map(picture -> padded ? Letterbox.withReflectedBorder(picture, side) : Letterbox.of(picture, side))
                .toList();
        List<Pixels> squares = letterboxes.stream().map(Letterbox::square).toList();
        Map<String, Tensor> outputs =
                model.infer(Map.of("image", Chunks.tensor(model.input("image"), squares))); // [B,S,S,3]
        float[] boxes = finite(outputs, "boxes"); // [B,K,4]
        float[] scores = finite(outputs, "scores"); // [B,K]
        float[] landmarks = finite(outputs, "landmarks"); // [B,K,5,2]
        List<Detection> detections = new ArrayList<>();
        for (int row = 0; row < pictures.size(); row++) {
            Letterbox letterbox = letterboxes.get(row);
            detections.add(readRow(row, pictures.get(row), letterbox, padded, boxes, scores, landmarks));
        }
        return detections;
    }

    private Detection readRow(
            int row,
            Pixels picture,
            Letterbox letterbox,
            boolean padded,
            float[] boxes,
            float[] scores,
            float[] landmarks) {
        List<Face> faces = new ArrayList<>();
        int live = 0;
        for (int slot = row * maxFaces; slot < (row + 1) * maxFaces && scores[slot] > 0; slot++) {
            live++;
            double left = letterbox.photoX(boxes[4 * slot]);
            double top = letterbox.photoY(boxes[4 * slot + 1]);
            double right = letterbox.photoX(boxes[4 * slot + 2]);
            double bottom = letterbox.photoY(boxes[4 * slot + 3]);
            if (!isWithin((left + right) / 2, picture.width()) || !isWithin((top + bottom) / 2, picture.height())) {
                continue; // a reflection
            }
            Box box = new Box(
                    clip(left, picture.width()),
                    clip(top, picture.height()),
                    clip(right, picture.width()),
                    clip(bottom, picture.height()));
            List<Point> points = new ArrayList<>();
            for (int i = 0; i < Face.LANDMARKS; i++) {
                int offset = (slot * Face.LANDMARKS + i) * 2;
                points.add(new Point(
                        (float) letterbox.photoX(landmarks[offset]), (float) letterbox.photoY(landmarks[offset + 1])));
            }
            faces.add(new Face(faces.size(), box, scores[slot], points));
        }
        return new Detection(faces, live == maxFaces, padded);
    }

    private float[] finite(Map<String, Tensor> outputs, String name) {
        float[] values = requireNonNull(outputs.get(name)).toFloats();
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new Violation(model.name(), name, "finite values", String.valueOf(value)).toFailure();
            }
        }
        return values;
    }

    static double borderFrom(String model, String text) {
        return Model.number(model, BORDER_FROM, text, share -> share > 0 && share <= 1, "a number above 0, at most 1");
    }

    private static boolean isWithin(double value, int size) {
        return value >= 0 && value <= size;
    }

    private static float clip(double value, int size) {
        return (float) Math.max(0, Math.min(size, value));
    }
}
