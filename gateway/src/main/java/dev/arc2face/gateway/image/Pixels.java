package dev.arc2face.gateway.image;

/**
 * An upright RGB picture.
 *
 * @param width in pixels
 * @param height in pixels
 * @param rgb {@code [height, width, 3]}, 8 bits a channel, rows from the top; owned by this record, never changed
 */
public record Pixels(int width, int height, byte[] rgb) {
    public Pixels {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("empty picture: " + width + "x" + height);
        }
        if (rgb.length != Math.multiplyExact(Math.multiplyExact(width, height), 3)) {
            throw new IllegalArgumentException(
                    "a " + width + "x" + height + " picture is not " + rgb.length + " bytes");
        }
    }
}
