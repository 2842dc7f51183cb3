package dev.arc2face.gateway.image;

import java.util.Arrays;

/**
 * A photo scaled to fit a square, aspect kept, at the square's top left, the rest black. Sizes are rounded as in
 * insightface's {@code scrfd.py}, and pixels are those of {@code cv2.resize(INTER_LINEAR)}, bit for bit: bilinear
 * between half-pixel centres, edges clamped, no smoothing, weights in steps of 1/2048.
 *
 * <p>Coordinates count from the outer corner of the top left pixel, so that they scale without an offset.
 */
public final class Letterbox {
    private static final int UNIT = 2048;

    private final Pixels square;
    private final double scaleX;
    private final double scaleY;
    private final int marginX;
    private final int marginY;

    private Letterbox(Pixels square, double scaleX, double scaleY, int marginX, int marginY) {
        this.square = square;
        this.scaleX = scaleX;
        this.scaleY = scaleY;
        this.marginX = marginX;
        this.marginY = marginY;
    }

    /**
     * The whole photo.
     *
     * @param side of the square in pixels
     */
    public static Letterbox of(Pixels photo, int side) {
        return fit(photo, side, false);
    }

    /**
     * The whole photo inside a border of half its width left and right and half its height above and below, filled
     * with the photo's reflection (the outermost pixels are not repeated): what a detector needs to see a face that
     * fills the photo.
     *
     * @param side of the square in pixels
     */
    public static Letterbox withReflectedBorder(Pixels photo, int side) {
        return fit(photo, side, true);
    }

    private static Letterbox fit(Pixels photo, int side, boolean bordered) {
        int longer = bordered ? side / 2 : side;
        double ratio = (double) photo.height() / photo.width();
        int width = ratio > 1 ? Math.max(1, (int) (longer / ratio)) : longer;
        int height = ratio > 1 ? longer : Math.max(1, (int) (longer * ratio));
        int marginX = bordered ? width / 2 : 0;
        int marginY = bordered ? height / 2 : 0;
        Axis columns = Axis.resample(photo.width(), width).bordered(marginX);
        Axis rows = Axis.resample(photo.height(), height).bordered(marginY);
        return new Letterbox(
                sample(photo, columns, rows, side),
                (double) width / photo.width(),
                (double) height / photo.height(),
                marginX,
                marginY);
    }

    private static Pixels sample(Pixels photo, Axis columns, Axis rows, int side) {
        byte[] source = photo.rgb();
        byte[] square = new byte[side * side * 3];
        for (int y = 0; y < rows.size(); y++) {
            int upper = rows.first[y] * photo.width();
            int lower = rows.second[y] * photo.width();
            for (int x = 0; x < columns.size(); x++) {
                int left = columns.first[x];
                int right = columns.second[x];
                for (int channel = 0; channel < 3; channel++) {
                    int above = columns.mix(
                            x,
                            source[(upper + left) * 3 + channel] & 0xff,
                            source[(upper + right) * 3 + channel] & 0xff);
                    int below = columns.mix(
                            x,
                            source[(lower + left) * 3 + channel] & 0xff,
                            source[(lower + right) * 3 + channel] & 0xff);
                    // OpenCV drops bits between the two axes, so that products fit its registers.
                    int sum = ((rows.firstWeight[y] * (above >> 4)) >> 16)
                            + ((rows.secondWeight[y] * (below >> 4)) >> 16);
                    square[(y * side + x) * 3 + channel] = (byte) ((sum + 2) >> 2);
                }
            }
        }
        return new Pixels(side, side, square);
    }

    /** The square, [side,side,3]. */
    public Pixels square() {
        return square;
    }

    /** The place in the photo, in its pixels, of a place in the square; outside the photo for one in its border. */
    public double photoX(double squareX) {
        return (squareX - marginX) / scaleX;
    }

    /** As {@link #photoX}, downwards. */
    public double photoY(double squareY) {
        return (squareY - marginY) / scaleY;
    }

    /** Which two source pixels each target pixel of one axis mixes, and the weights of both in 1/2048. */
    private record Axis(int[] first, int[] second, int[] firstWeight, int[] secondWeight) {
        static Axis resample(int from, int to) {
            double scale = 1 / ((double) to / from);
            int[] first = new int[to];
            int[] second = new int[to];
            int[] firstWeight = new int[to];
            int[] secondWeight = new int[to];
            for (int i = 0; i < to; i++) {
                float centre = (float) ((i + 0.5) * scale - 0.5);
                int floor = (int) Math.floor(centre);
                float weight = centre - floor;
                first[i] = clamp(floor, from);
                second[i] = clamp(floor + 1, from);
                firstWeight[i] = (int) Math.rint((1 - weight) * UNIT);
                secondWeight[i] = (int) Math.rint(weight * UNIT);
            }
            return new Axis(first, second, firstWeight, secondWeight);
        }

        private static int clamp(int i, int size) {
            return Math.max(0, Math.min(size - 1, i));
        }

        /** The target pixel in 1/2048, of its two source pixels. */
        int mix(int target, int firstPixel, int secondPixel) {
            return firstPixel * firstWeight[target] + secondPixel * secondWeight[target];
        }

        /** The same with a reflection of {@code margin} pixels at both ends. */
        Axis bordered(int margin) {
            int[] order = new int[size() + 2 * margin];
            for (int i = 0; i < order.length; i++) {
                order[i] = reflect(i - margin, size());
            }
            return new Axis(
                    pick(first, order), pick(second, order), pick(firstWeight, order), pick(secondWeight, order));
        }

        private static int[] pick(int[] values, int[] order) {
            return Arrays.stream(order).map(i -> values[i]).toArray();
        }

        /** {@code margin <= size / 2}, so that one reflection is enough. */
        private static int reflect(int i, int size) {
            int inner = Math.abs(i);
            return inner < size ? inner : 2 * (size - 1) - inner;
        }

        int size() {
            return first.length;
        }
    }
}
