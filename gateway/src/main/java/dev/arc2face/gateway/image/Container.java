package dev.arc2face.gateway.image;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A picture file taken apart, without a pixel decoded: what to know beside the pixels, and a file for the reader that
 * is stripped to what the pixels need, so that no reader meets metadata made to hurt it.
 */
sealed interface Container permits JpegContainer, PngContainer, WebpContainer {
    /** As stored, before the orientation is applied. */
    int width();

    /** As stored, before the orientation is applied. */
    int height();

    Orientation orientation();

    /** The embedded ICC profile. */
    byte @Nullable [] colourProfile();

    /** Decodes the pixels. Readers may throw unchecked exceptions of any kind on damaged data. */
    Samples decode() throws IOException;
}
