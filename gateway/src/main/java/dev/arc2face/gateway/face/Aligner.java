package dev.arc2face.gateway.face;

import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.Sizes;
import java.util.List;

/**
 * Warps a face to the five-point template of ArcFace by the least-squares similarity of its landmarks: insightface's
 * {@code face_align.norm_crop} with {@code cv2.warpAffine}'s bilinear sampling, border 0. Landmarks are taken as that
 * function takes them, a pixel's centre at its index. OpenCV rounds coordinates to 1/32 pixel; these are exact.
 */
public final class Aligner {
    /** Side of an aligned crop in pixels. */
    public static final int SIDE = Sizes.FACE_SIDE;

    /** insightface's {@code arcface_dst}: where the landmarks go. */
    private static final double[][] TEMPLATE = {
        {38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}
    };

    private Aligner() {}

    /**
     * The aligned crop of one face.
     *
     * @param photo [H,W,3]
     * @param landmarks the five of a {@link Face}, in pixels of the photo
     * @return [112,112,3]
     * @throws IllegalArgumentException when there are not five landmarks or all of them are one point
     */
    public static Pixels align(Pixels photo, List<Point> landmarks) {
        Similarity toPhoto = Similarity.ofLandmarks(landmarks).inverse();
        byte[] crop = new byte[SIDE * SIDE * 3];
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                sample(photo, toPhoto.x(x, y), toPhoto.y(x, y), crop, (y * SIDE + x) * 3);
            }
        }
        return new Pixels(SIDE, SIDE, crop);
    }

    /** Bilinear; what is outside the photo is black. */
    private static void sample(Pixels photo, double x, double y, byte[] crop, int offset) {
        int left = (int) Math.floor(x);
        int top = (int) Math.floor(y);
        if (left < -1 || top < -1 || left >= photo.width() || top >= photo.height()) {
            return;
        }
        double right = x - left; // weights of the right column and the bottom row
        double bottom = y - top;
        for (int channel = 0; channel < 3; channel++) {
            double upper =
                    (1 - right) * value(photo, left, top, channel) + right * value(photo, left + 1, top, channel);
            double lower = (1 - right) * value(photo, left, top + 1, channel)
                    + right * value(photo, left + 1, top + 1, channel);
            crop[offset + channel] = (byte) Math.round((1 - bottom) * upper + bottom * lower);
        }
    }

    private static int value(Pixels photo, int x, int y, int channel) {
        boolean inside = x >= 0 && y >= 0 && x < photo.width() && y < photo.height();
        return inside ? photo.rgb()[(y * photo.width() + x) * 3 + channel] & 0xff : 0;
    }

    /** The map (x, y) -> (a x - b y + tx, b x + a y + ty): rotation, scale and shift. */
    private record Similarity(double a, double b, double tx, double ty) {
        /**
         * The similarity that brings landmarks closest to the template. Umeyama's least-squares solution (1991, eq. 40
         * to 42) needs no SVD in the plane, where a similarity is one complex factor and one complex summand.
         */
        static Similarity ofLandmarks(List<Point> landmarks) {
            if (landmarks.size() != TEMPLATE.length) {
                throw new IllegalArgumentException(
                        "a face has " + TEMPLATE.length + " landmarks, not " + landmarks.size());
            }
            double meanX = landmarks.stream().mapToDouble(Point::x).sum() / TEMPLATE.length;
            double meanY = landmarks.stream().mapToDouble(Point::y).sum() / TEMPLATE.length;
            double templateMeanX = 0;
            double templateMeanY = 0;
            for (double[] target : TEMPLATE) {
                templateMeanX += target[0] / TEMPLATE.length;
                templateMeanY += target[1] / TEMPLATE.length;
            }
            double variance = 0;
            double real = 0;
            double imaginary = 0;
            for (int i = 0; i < TEMPLATE.length; i++) {
                double x = landmarks.get(i).x() - meanX;
                double y = landmarks.get(i).y() - meanY;
                double u = TEMPLATE[i][0] - templateMeanX;
                double v = TEMPLATE[i][1] - templateMeanY;
                variance += x * x + y * y;
                real += x * u + y * v;
                imaginary += x * v - y * u;
            }
            if (variance == 0) {
                throw new IllegalArgumentException("all landmarks are one point");
            }
            double a = real / variance;
            double b = imaginary / variance;
            return new Similarity(a, b, templateMeanX - a * meanX + b * meanY, templateMeanY - b * meanX - a * meanY);
        }

        Similarity inverse() {
            double squaredScale = a * a + b * b;
            double inverseA = a / squaredScale;
            double inverseB = -b / squaredScale;
            return new Similarity(
                    inverseA, inverseB, -(inverseA * tx - inverseB * ty), -(inverseB * tx + inverseA * ty));
        }

        double x(double x, double y) {
            return a * x - b * y + tx;
        }

        double y(double x, double y) {
            return b * x + a * y + ty;
        }
    }
}
