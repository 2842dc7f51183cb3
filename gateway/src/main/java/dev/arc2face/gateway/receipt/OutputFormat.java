package dev.arc2face.gateway.receipt;

import dev.arc2face.gateway.image.ImageFormat;

/** The format of portraits, as requests and receipts name it. */
public final class OutputFormat {
    private OutputFormat() {}

    /** What it comes to: PNG where nothing is said. */
    public static ImageFormat of(dev.arc2face.v1.ImageFormat named) {
        return switch (named) {
            case IMAGE_FORMAT_JPEG -> ImageFormat.JPEG;
            case IMAGE_FORMAT_WEBP -> ImageFormat.WEBP;
            case IMAGE_FORMAT_PNG, IMAGE_FORMAT_UNSPECIFIED, UNRECOGNIZED -> ImageFormat.PNG;
        };
    }
}
