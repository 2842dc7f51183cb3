package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.PortraitGenerator;
import dev.arc2face.gateway.diffusion.Variants;
import dev.arc2face.gateway.face.FaceDetector;
import dev.arc2face.gateway.face.IdentityReader;
import dev.arc2face.gateway.face.IdentityScorer;
import dev.arc2face.gateway.face.Recogniser;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.triton.ServedModels;
import java.util.concurrent.Executor;

/**
 * The stations that a call passes, made for the models that Triton serves; made anew each time Triton comes back.
 *
 * @param models what is served
 * @param variants the UNets among them
 * @param decoder bytes to pixels
 * @param detector pixels to faces
 * @param recogniser faces to embeddings
 * @param reader whatever the caller sent to an identity
 * @param generator an identity to portraits
 */
record Pipeline(
        ServedModels models,
        Variants variants,
        PhotoDecoder decoder,
        FaceDetector detector,
        Recogniser recogniser,
        IdentityReader reader,
        PortraitGenerator generator) {
    /** @param encoders make the pictures' files while they are scored */
    static Pipeline of(ServedModels models, LimitsConfig limits, Executor encoders) {
        PhotoDecoder decoder = new PhotoDecoder((int) limits.maxPhotoBytes().asLongValue(), limits.maxPhotoPixels());
        FaceDetector detector = new FaceDetector(models.faceDetector(), models.sizes());
        Recogniser recogniser = new Recogniser(models.arcface());
        IdentityReader reader = new IdentityReader(decoder, detector, recogniser, limits.minFacePixels());
        IdentityScorer scorer = new IdentityScorer(detector, recogniser);
        return new Pipeline(
                models,
                Variants.of(models),
                decoder,
                detector,
                recogniser,
                reader,
                new PortraitGenerator(models, reader, scorer, encoders, System::nanoTime));
    }
}
