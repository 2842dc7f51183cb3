package dev.arc2face.gateway.triton;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What Triton serves: the models of the contract, which they keep, and the sizes they agree on. Read again each time
 * Triton comes back; an instance never changes.
 *
 * @param faceDetector {@code image} to {@code boxes}, {@code scores}, {@code landmarks}
 * @param arcface {@code face} to {@code embedding}
 * @param encoder {@code id_embedding} to {@code context}, {@code negative_context}
 * @param unet {@code latents}, {@code timestep}, {@code context} to {@code prediction}
 * @param unetGuided as {@code unet}, with {@code guidance} and the unconditional context inside, where there is one
 * @param unetLcm as {@code unet}, distilled to few steps, where there is one
 * @param vaeDecoder {@code latents} to {@code image}
 * @param serverName the name Triton gives itself
 * @param serverVersion Triton's version
 * @param sizes the profile's sizes
 */
public record ServedModels(
        Model faceDetector,
        Model arcface,
        Model encoder,
        Model unet,
        Optional<Model> unetGuided,
        Optional<Model> unetLcm,
        Model vaeDecoder,
        String serverName,
        String serverVersion,
        Sizes sizes) {
    /** Those that denoise, of all variants. */
    public List<Model> unets() {
        return Stream.of(Stream.of(unet), unetGuided.stream(), unetLcm.stream())
                .flatMap(models -> models)
                .toList();
    }

    /** Which profile they are of, {@code mini} or {@code arc2face}; empty where they do not say. */
    public String profile() {
        return unet.parameter("profile").orElse("");
    }

    /** All that are served, in the order of a portrait's way. */
    public List<Model> all() {
        return Stream.of(Stream.of(faceDetector, arcface, encoder), unets().stream(), Stream.of(vaeDecoder))
                .flatMap(models -> models)
                .toList();
    }
}
