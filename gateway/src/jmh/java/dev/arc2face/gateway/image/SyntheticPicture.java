package dev.arc2face.gateway.image;

import java.util.Random;

/** A picture that compresses about as a portrait does: broad shades, a few edges, and a little grain. */
public final class SyntheticPicture {
    private static final double GRAIN = 1.5; // standard deviation, of 255

    private SyntheticPicture() {}

    /** The same picture at every call, {@code [height, width, 3]}. */
    public static Pixels draw(int width, int height) {
        Random random = new Random(1);
        byte[] rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double across = (double) x / width;
                double down = (double) y / height;
                boolean face = Math.hypot((across - 0.5) / 0.3, (down - 0.5) / 0.4) < 1;
                double shade = face
                        ? 170 + 40 * Math.cos(5 * (across - 0.4)) * Math.cos(4 * (down - 0.4))
                        : 90 + 50 * Math.sin(3 * across + 2 * down);
                for (int channel = 0; channel < 3; channel++) {
                    double tint = face ? 1 - 0.17 * channel : 0.7 + 0.1 * channel;
                    double value = tint * shade + GRAIN * random.nextGaussian();
                    rgb[(y * width + x) * 3 + channel] = (byte) Math.round(Math.max(0, Math.min(255, value)));
                }
            }
        }
        return new Pixels(width, height, rgb);
    }
}
