package dev.arc2face.gateway.face;

import java.util.Locale;

/** A stage of a call, in the order in which the data passes. */
public enum Stage {
    /** Photo to pixels. */
    DECODE,
    /** Pixels to faces. */
    DETECT,
    /** Face to aligned crop. */
    ALIGN,
    /** Crop to embedding. */
    EMBED,
    /** Embedding to context. */
    ENCODE,
    /** Noise to latents. */
    DENOISE,
    /** Latents to portraits. */
    VAE_DECODE,
    /** Portraits to similarities. */
    SCORE,
    /** Portraits to bytes. */
    IMAGE_ENCODE;

    private final String id = name().toLowerCase(Locale.ROOT);

    /** As spans and metrics name it. */
    public String id() {
        return id;
    }
}
