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

/**
 * Finds faces. What it says of a picture does not depend on the pictures beside it. Safe to use from any number of
 * threads; fails as {@link Model#infer} does.
 */
public final class FaceDetector {
    private final Model model;
    private final int side;
    private final int maxFaces;

    /**
     * A detector.
     *
     * @param model the contract's {@code face_detector}
     */
    public FaceDetector(Model model, Sizes sizes) {
        this.model = model;
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
            List<Letterbox> letterboxes =
                    chunk.stream().map(picture -> Letterbox.of(picture, side)).toList();
            detections.addAll(detect(chunk, letterboxes));
        }
        return detections;
    }

    /**
     * The faces of a photo that fills its frame with a face: a reflected border is put around it. Faces of the border
     * itself are left out.
     */
    Detection detectWithinBorder(Pixels photo) {
        return detect(List.of(photo), List.of(Letterbox.withReflectedBorder(photo, side)))
                .get(0);
    }

    private List<Detection> detect(List<Pixels> pictures, List<Letterbox> letterboxes) {
        List<Pixels> squares = letterboxes.stream().map(Letterbox::square).toList();
        Map<String, Tensor> outputs =
                model.infer(Map.of("image", Chunks.tensor(model.input("image"), squares))); // [B,S,S,3]
        float[] boxes = finite(outputs, "boxes"); // [B,K,4]
        float[] scores = finite(outputs, "scores"); // [B,K]
        float[] landmarks = finite(outputs, "landmarks"); // [B,K,5,2]
        List<Detection> detections = new ArrayList<>();
        for (int row = 0; row < pictures.size(); row++) {
            detections.add(readRow(row, pictures.get(row), letterboxes.get(row), boxes, scores, landmarks));
        }
        return detections;
    }

    private Detection readRow(
            int row, Pixels picture, Letterbox letterbox, float[] boxes, float[] scores, float[] landmarks) {
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
        return new Detection(faces, live == maxFaces);
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

    private static boolean isWithin(double value, int size) {
        return value >= 0 && value <= size;
    }

    private static float clip(double value, int size) {
        return (float) Math.max(0, Math.min(size, value));
    }
}
