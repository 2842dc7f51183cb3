package dev.arc2face.gateway.image;

/**
 * What a pixel is likely to be, from those left of it and above it: the predictors of a lossless WebP (RFC 9649, section
 * 4.1). Pixels are packed as ARGB, 8 bits a channel.
 */
final class Predictor {
    static final int MODES = 14;

    private static final int BLACK = 0xff00_0000;
    private static final int ALPHA_AND_GREEN = 0xff00_ff00;
    private static final int RED_AND_BLUE = 0x00ff_00ff;

    private Predictor() {}

    /** The pixel at {@code i}, which is not in the first row or column. */
    static int predict(int mode, int[] pixels, int i, int width) {
        int left = pixels[i - 1];
        int top = pixels[i - width];
        int topLeft = pixels[i - width - 1];
        int topRight = pixels[i - width + 1]; // of a row's last pixel this is the row's first one, as the format has it
        return switch (mode) {
            case 0 -> BLACK;
            case 1 -> left;
            case 2 -> top;
            case 3 -> topRight;
            case 4 -> topLeft;
            case 5 -> average(average(left, topRight), top);
            case 6 -> average(left, topLeft);
            case 7 -> average(left, top);
            case 8 -> average(topLeft, top);
            case 9 -> average(top, topRight);
            case 10 -> average(average(left, topLeft), average(top, topRight));
            case 11 -> select(left, top, topLeft);
            case 12 -> gradient(left, top, topLeft);
            default -> halfGradient(average(left, top), topLeft);
        };
    }

    /** The pixel at {@code i} of the first row or column, where no mode is asked. */
    static int predictBorder(int[] pixels, int i, int width) {
        if (i == 0) {
            return BLACK;
        }
        return i < width ? pixels[i - 1] : pixels[i - width];
    }

    /** The difference of each channel, mod 256. */
    static int subtract(int pixel, int predicted) {
        int alphaAndGreen = RED_AND_BLUE + (pixel & ALPHA_AND_GREEN) - (predicted & ALPHA_AND_GREEN);
        int redAndBlue = ALPHA_AND_GREEN + (pixel & RED_AND_BLUE) - (predicted & RED_AND_BLUE);
        return (alphaAndGreen & ALPHA_AND_GREEN) | (redAndBlue & RED_AND_BLUE);
    }

    private static int average(int a, int b) {
        return (((a ^ b) & 0xfefe_fefe) >>> 1) + (a & b);
    }

    /** The one of left and top that is closer to {@code left + top - topLeft}. */
    private static int select(int left, int top, int topLeft) {
        int toLeft = 0;
        int toTop = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            int corner = topLeft >>> shift & 0xff;
            toLeft += Math.abs((top >>> shift & 0xff) - corner);
            toTop += Math.abs((left >>> shift & 0xff) - corner);
        }
        return toLeft < toTop ? left : top;
    }

    private static int gradient(int left, int top, int topLeft) {
        int predicted = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            int value = (left >>> shift & 0xff) + (top >>> shift & 0xff) - (topLeft >>> shift & 0xff);
            predicted |= clamp(value) << shift;
        }
        return predicted;
    }

    private static int halfGradient(int average, int topLeft) {
        int predicted = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            int value = average >>> shift & 0xff;
            predicted |= clamp(value + (value - (topLeft >>> shift & 0xff)) / 2) << shift;
        }
        return predicted;
    }

    private static int clamp(int value) {
        return Math.max(0, Math.min(255, value));
    }
}
