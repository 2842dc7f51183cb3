package dev.arc2face.gateway.face;

import dev.arc2face.gateway.image.Pixels;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Tells how much of an identity finished portraits show, by their pixels before they are encoded. Safe to use from any
 * number of threads; fails as the models do.
 */
public final class IdentityScorer {
    private final FaceDetector detector;
    private final Recogniser recogniser;

    public IdentityScorer(FaceDetector detector, Recogniser recogniser) {
        this.detector = detector;
        this.recogniser = recogniser;
    }

    /**
     * The cosine between the input and each portrait's largest face, -1 to 1; empty where no face is found.
     *
     * @param portraits [H,W,3] each
     */
    public List<OptionalDouble> similarities(Embedding input, List<Pixels> portraits) {
        List<Detection> detections = detector.detectAll(portraits);
        List<Pixels> crops = new ArrayList<>(); // [112,112,3] each, of the portraits with a face
        for (int i = 0; i < portraits.size(); i++) {
            List<Face> faces = detections.get(i).faces();
            if (!faces.isEmpty()) {
                crops.add(Aligner.align(
                        portraits.get(i), IdentityReader.largest(faces).landmarks()));
            }
        }
        Iterator<Embedding> embeddings = recogniser.embedAll(crops).iterator();
        return detections.stream()
                .map(detection -> detection.faces().isEmpty()
                        ? OptionalDouble.empty()
                        : OptionalDouble.of(input.similarityTo(embeddings.next())))
                .toList();
    }
}
