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

    private static final int OUTSIDE = -1;

    private Aligner() {}

    /**
     * The aligned crop of one face; what lies outside the photo is black.
     *
     * @param photo [H,W,3]
     * @param landmarks the five of a {@link Face}, in pixels of the photo
     * @return [112,112,3]
     * @throws IllegalArgumentException when there are not five landmarks or all of them are one point
     */
    public static Pixels align(Pixels photo, List<Point> landmarks) {
        return warp(photo, landmarks, (photoSide, i) -> i >= 0 && i < photoSide ? i : OUTSIDE);
    }

    /**
     * As {@link #align}, but the photo goes on outside as its reflection: for a face that fills its photo, where much of
     * the crop would be black, which costs more of the identity (0.1 of the cosine) than a wrong surrounding does.
     */
    public static Pixels alignWithinBorder(Pixels photo, List<Point> landmarks) {
        return warp(photo, landmarks, (photoSide, i) -> {
            int inPeriod = Math.floorMod(i, Math.max(1, 2 * (photoSide - 1)));
            return Math.min(inPeriod, 2 * (photoSide - 1) - inPeriod);
        });
    }

    private static Pixels warp(Pixels photo, List<Point> landmarks, Border border) {
        Similarity toPhoto = Similarity.ofLandmarks(landmarks).inverse();
        byte[] crop = new byte[SIDE * SIDE * 3];
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                sample(photo, border, toPhoto.x(x, y), toPhoto.y(x, y), crop, (y * SIDE + x) * 3);
            }
        }
        return new Pixels(SIDE, SIDE, crop);
    }

    private static void sample(Pixels photo, Border border, double x, double y, byte[] crop, int offset) {
        int floorX = (int) Math.floor(x);
        int floorY = (int) Math.floor(y);
        int left = border.index(photo.width(), floorX);
        int right = border.index(photo.width(), floorX + 1);
        int top = border.index(photo.height(), floorY);
        int bottom = border.index(photo.height(), floorY + 1);
        double rightWeight = x - floorX;
        double bottomWeight = y - floorY;
        for (int channel = 0; channel < 3; channel++) {
            double upper = (1 - rightWeight) * value(photo, left, top, channel)
                    + rightWeight * value(photo, right, top, channel);
            double lower = (1 - rightWeight) * value(photo, left, bottom, channel)
                    + rightWeight * value(photo, right, bottom, channel);
            crop[offset + channel] = (byte) Math.round((1 - bottomWeight) * upper + bottomWeight * lower);
        }
    }

    private static int value(Pixels photo, int x, int y, int channel) {
        boolean inside = x != OUTSIDE && y != OUTSIDE;
        return inside ? photo.rgb()[(y * photo.width() + x) * 3 + channel] & 0xff : 0;
    }

    /** What is there beyond the photo's edges. */
    private interface Border {
        /** The column or row of the photo that stands for any column or row; {@link #OUTSIDE} for black. */
        int index(int photoSide, int i);
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
