package dev.arc2face.gateway.face;

import dev.arc2face.gateway.image.Pixels;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

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
     * The largest face of each portrait and its similarity to whom it is to show; empty where no face is found.
     *
     * @param inputs one for each portrait
     * @param portraits [H,W,3] each
     */
    public List<Optional<ScoredFace>> score(List<Embedding> inputs, List<Pixels> portraits) {
        List<Detection> detections = detector.detectAll(portraits);
        List<Optional<Face>> faces = detections.stream().map(Detection::largest).toList();
        List<Pixels> crops = new ArrayList<>(); // [112,112,3] each, of the portraits with a face
        for (int i = 0; i < portraits.size(); i++) {
            Pixels portrait = portraits.get(i);
            Detection detection = detections.get(i);
            faces.get(i).ifPresent(face -> crops.add(detection.align(portrait, face)));
        }
        Iterator<Embedding> embeddings = recogniser.embedAll(crops).iterator();
        List<Optional<ScoredFace>> scores = new ArrayList<>();
        for (int i = 0; i < portraits.size(); i++) {
            Embedding input = inputs.get(i);
            scores.add(faces.get(i).map(face -> new ScoredFace(face, input.similarityTo(embeddings.next()))));
        }
        return scores;
    }
}
