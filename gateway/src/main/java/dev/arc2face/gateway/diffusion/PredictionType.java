package dev.arc2face.gateway.diffusion;

/**
 * What a UNet predicts about latents {@code x = alpha x0 + sigma epsilon} with {@code alpha^2 + sigma^2 = 1}; velocity
 * is arXiv 2202.00512, appendix D.
 */
enum PredictionType {
    /** The noise: epsilon. */
    EPSILON,
    /** The picture: x0. */
    SAMPLE,
    /** The velocity: {@code v = alpha epsilon - sigma x0}. */
    V_PREDICTION;

    /** A weighted sum of the latents and the prediction. */
    record Weights(double latents, double prediction) {}

    /** x0 from the latents and the prediction. */
    Weights denoised(double alpha, double sigma) {
        return switch (this) {
            case EPSILON -> new Weights(1 / alpha, -sigma / alpha);
            case SAMPLE -> new Weights(0, 1);
            case V_PREDICTION -> new Weights(alpha, -sigma);
        };
    }

    /** epsilon from the latents and the prediction. */
    Weights noise(double alpha, double sigma) {
        return switch (this) {
            case EPSILON -> new Weights(0, 1);
            case SAMPLE -> new Weights(1 / sigma, -alpha / sigma);
            case V_PREDICTION -> new Weights(sigma, alpha);
        };
    }
}
