package dev.arc2face.gateway.triton;

/**
 * What Triton serves: five models that keep the contract, and the sizes they agree on. Read again each time Triton
 * comes back; an instance never changes.
 *
 * @param faceDetector {@code image} to {@code boxes}, {@code scores}, {@code landmarks}
 * @param arcface {@code face} to {@code embedding}
 * @param encoder {@code id_embedding} to {@code context}, {@code negative_context}
 * @param unet {@code latents}, {@code timestep}, {@code context} to {@code prediction}
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
        Model vaeDecoder,
        String serverName,
        String serverVersion,
        Sizes sizes) {}
