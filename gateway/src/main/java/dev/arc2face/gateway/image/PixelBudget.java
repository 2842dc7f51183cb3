package dev.arc2face.gateway.image;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.Map;

/**
 * The most pixels that a photo may have. A container asks as soon as it has read a size, before anything is decoded or
 * allocated by it.
 */
record PixelBudget(int maxPixels) {
    /** IMAGE_TOO_LARGE where that is more than the budget. */
    void require(int width, int height) {
        long pixels = (long) width * height;
        if (pixels > maxPixels) {
            throw tooLarge(maxPixels, pixels, "pixels");
        }
    }

    static FailureException tooLarge(int limit, long actual, String unit) {
        return FailureException.of(
                ErrorReason.IMAGE_TOO_LARGE,
                "the photo has " + actual + " " + unit + ", more than " + limit + ": send a smaller one",
                Map.of("limit", String.valueOf(limit), "actual", String.valueOf(actual), "unit", unit));
    }
}
