package dev.arc2face.gateway.image;

/** How a finished picture is encoded. */
public enum ImageFormat {
    /** Lossless. */
    PNG,
    /** Baseline JPEG, no chroma subsampling. */
    JPEG,
    /** Lossless, smaller than PNG. */
    WEBP
}
