package dev.arc2face.gateway.image;

/**
 * A photo scaled to fit a square, aspect kept, at the square's top left, the rest black. Pixels are resampled as
 * {@code cv2.resize(INTER_LINEAR)} does it: bilinear between half-pixel centres, edges clamped, no smoothing.
 *
 * <p>Coordinates count from the outer corner of the top left pixel, so that they scale without an offset.
 */
public final class Letterbox {
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
        double scale = (double) (bordered ? side / 2 : side) / Math.max(photo.width(), photo.height());
        int width = (int) Math.max(1, Math.round(photo.width() * scale));
        int height = (int) Math.max(1, Math.round(photo.height() * scale));
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
            double bottom = rows.weight[y];
            for (int x = 0; x < columns.size(); x++) {
                int left = columns.first[x];
                int right = columns.second[x];
                double weight = columns.weight[x];
                for (int channel = 0; channel < 3; channel++) {
                    double above = (1 - weight) * (source[(upper + left) * 3 + channel] & 0xff)
                            + weight * (source[(upper + right) * 3 + channel] & 0xff);
                    double below = (1 - weight) * (source[(lower + left) * 3 + channel] & 0xff)
                            + weight * (source[(lower + right) * 3 + channel] & 0xff);
                    square[(y * side + x) * 3 + channel] = (byte) Math.round((1 - bottom) * above + bottom * below);
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

    /** Which two source pixels each target pixel of one axis mixes, and the weight of the second. */
    private record Axis(int[] first, int[] second, double[] weight) {
        static Axis resample(int from, int to) {
            int[] first = new int[to];
            int[] second = new int[to];
            double[] weight = new double[to];
            for (int i = 0; i < to; i++) {
                double centre = Math.max(0, Math.min(from - 1, (i + 0.5) * from / to - 0.5));
                first[i] = (int) centre;
                second[i] = Math.min(first[i] + 1, from - 1);
                weight[i] = centre - first[i];
            }
            return new Axis(first, second, weight);
        }

        /** The same with a reflection of {@code margin} pixels at both ends. */
        Axis bordered(int margin) {
            int[] order = new int[size() + 2 * margin];
            for (int i = 0; i < order.length; i++) {
                order[i] = reflect(i - margin, size());
            }
            int[] borderedFirst = new int[order.length];
            int[] borderedSecond = new int[order.length];
            double[] borderedWeight = new double[order.length];
            for (int i = 0; i < order.length; i++) {
                borderedFirst[i] = first[order[i]];
                borderedSecond[i] = second[order[i]];
                borderedWeight[i] = weight[order[i]];
            }
            return new Axis(borderedFirst, borderedSecond, borderedWeight);
        }

        /** {@code margin <= size / 2}, so that one reflection is enough. */
        private static int reflect(int i, int size) {
            int inner = Math.abs(i);
            return inner < size ? inner : 2 * (size - 1) - inner;
        }

        int size() {
            return weight.length;
        }
    }
}
