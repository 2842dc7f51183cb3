package dev.arc2face.gateway.face;

/** A rectangle in pixels of the upright photo, edges between pixels: a box over the whole photo ends at its width. */
public record Box(float left, float top, float right, float bottom) {
    public float width() {
        return right - left;
    }

    public float height() {
        return bottom - top;
    }

    /** In square pixels. */
    public double area() {
        return (double) width() * height();
    }

    /** The shorter side, in pixels. */
    public float shorterSide() {
        return Math.min(width(), height());
    }
}
