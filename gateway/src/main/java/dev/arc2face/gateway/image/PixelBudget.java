package dev.arc2face.gateway.image;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.Map;

/**
 * The most pixels that a photo may have, and with them the most work that it may make. A container asks as soon as it
 * has read a size, before anything is decoded or allocated by it. For one photo; one owner, one thread.
 */
final class PixelBudget {
    /** A JPEG's longest side. Each row costs something of its own: a million rows of one pixel are no small photo. */
    private static final int MAX_SIDE = 65_535;

    /** Passes over the largest photo; a progressive JPEG is passed over once a scan, and encoders make about ten. */
    private static final int MAX_PASSES = 16;

    private final int maxPixels;
    private long work;

    PixelBudget(int maxPixels) {
        this.maxPixels = maxPixels;
    }

    /** The work that the photo makes, in pixels of a photo that is passed over as often as may be. */
    long work() {
        return work;
    }

    /** IMAGE_TOO_LARGE where that is more than the budget. */
    void require(int width, int height) {
        long pixels = (long) width * height;
        if (pixels > maxPixels) {
            throw tooLarge(maxPixels, pixels, "pixels");
        }
        int side = Math.max(width, height);
        if (side > MAX_SIDE) {
            throw tooLarge(MAX_SIDE, side, "pixels a side");
        }
        work = Math.max(work, pixels);
    }

    /** IMAGE_TOO_LARGE where so many passes over so many pixels are more work than a photo may make. */
    void requirePasses(int width, int height, int passes) {
        long limit = (long) MAX_PASSES * maxPixels;
        long pixels = (long) width * height * passes;
        if (pixels > limit) {
            throw tooLarge(limit, pixels, "pixels in all scans");
        }
        work = Math.max(work, pixels / MAX_PASSES);
    }

    static FailureException tooLarge(long limit, long actual, String unit) {
        return FailureException.of(
                ErrorReason.IMAGE_TOO_LARGE,
                "the photo has " + actual + " " + unit + ", more than " + limit + ": send a smaller one",
                Map.of("limit", String.valueOf(limit), "actual", String.valueOf(actual), "unit", unit));
    }
}
