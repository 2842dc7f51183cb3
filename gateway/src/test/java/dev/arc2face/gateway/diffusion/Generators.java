package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.face.FaceDetector;
import dev.arc2face.gateway.face.IdentityReader;
import dev.arc2face.gateway.face.IdentityScorer;
import dev.arc2face.gateway.face.IdentitySource;
import dev.arc2face.gateway.face.Recogniser;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.triton.ServedModels;

/** What a generation needs, of the models of a Triton. */
final class Generators {
    private Generators() {}

    /** A generator that works on the thread that calls it. */
    static PortraitGenerator of(ServedModels models) {
        FaceDetector detector = new FaceDetector(models.faceDetector(), models.sizes());
        Recogniser recogniser = new Recogniser(models.arcface());
        return new PortraitGenerator(
                models,
                new IdentityReader(new PhotoDecoder(1 << 24, 50_000_000), detector, recogniser, 24),
                new IdentityScorer(detector, recogniser),
                Runnable::run,
                System::nanoTime);
    }

    /** The embedding of nobody in particular; each seed's is another one's. */
    static IdentitySource nobodyInParticular(ServedModels models, int seed) {
        return new IdentitySource.GivenEmbedding(
                new Noise(seed).draw(models.sizes().embeddingSize()), new Recogniser(models.arcface()).id());
    }
}
