package dev.arc2face.gateway.triton;

/**
 * The sizes of the served profile, read from the models' metadata.
 *
 * @param detectorSide S: the detector sees S x S pixels
 * @param maxFaces K: rows of the detector's list
 * @param embeddingSize D
 * @param contextTokens T
 * @param contextChannels C
 * @param latentHeight h; latents are {@code [4, h, w]}
 * @param latentWidth w
 * @param imageWidth W in pixels, a multiple of w
 * @param imageHeight H in pixels, a multiple of h
 */
public record Sizes(
        int detectorSide,
        int maxFaces,
        int embeddingSize,
        int contextTokens,
        int contextChannels,
        int latentHeight,
        int latentWidth,
        int imageWidth,
        int imageHeight) {
    /** Channels of the latents, for every profile. */
    public static final int LATENT_CHANNELS = 4;

    /** Side of an aligned face in pixels, for every profile. */
    public static final int FACE_SIDE = 112;

    /** Elements of one row of latents: {@code 4 * h * w}. */
    public int latentLength() {
        return LATENT_CHANNELS * latentHeight * latentWidth;
    }
}
