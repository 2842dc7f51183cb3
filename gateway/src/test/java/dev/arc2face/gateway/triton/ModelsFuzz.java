package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.PortraitGenerator;
import dev.arc2face.gateway.diffusion.Variants;
import dev.arc2face.gateway.face.FaceDetector;
import dev.arc2face.gateway.face.IdentityReader;
import dev.arc2face.gateway.face.IdentityScorer;
import dev.arc2face.gateway.face.Recogniser;
import dev.arc2face.gateway.image.PhotoDecoder;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** Whatever a Triton says about its models, they can be called, or they break the contract. */
public final class ModelsFuzz {
    private static final Map<String, Description> RECORDED = RecordedModels.descriptions();
    private static final PhotoDecoder DECODER = new PhotoDecoder(1, 1);

    private ModelsFuzz() {}

    // As RecordedModels.read has them; these models take the place of recorded ones.
    public static void fuzzerTestOneInput(byte[] messages) {
        Map<String, Description> descriptions = new HashMap<>(RECORDED);
        try {
            descriptions.putAll(RecordedModels.read(messages));
        } catch (IOException noProtobuf) {
            return; // the channel refuses it
        }
        try {
            build(Contract.check(descriptions));
        } catch (FailureException violated) {
            if (violated.reason() != ErrorReason.MODEL_CONTRACT_VIOLATED) {
                throw new AssertionError(violated);
            }
        }
    }

    /** All that is made of models before the first call. */
    private static void build(Contract.Checked checked) {
        for (Signature signature : checked.signatures().values()) {
            if (Math.max(signature.largestRequest(), signature.largestAnswer()) > Integer.MAX_VALUE) {
                throw new AssertionError(signature);
            }
        }
        ServedModels models = RecordedModels.served(checked);
        Variants.of(models);
        FaceDetector detector = new FaceDetector(models.faceDetector(), models.sizes());
        Recogniser recogniser = new Recogniser(models.arcface());
        new PortraitGenerator(
                models,
                new IdentityReader(DECODER, detector, recogniser, 1),
                new IdentityScorer(detector, recogniser),
                Runnable::run,
                System::nanoTime);
    }
}
