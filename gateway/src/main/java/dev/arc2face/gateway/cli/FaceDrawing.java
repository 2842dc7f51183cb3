package dev.arc2face.gateway.cli;

import dev.arc2face.v1.Face;
import dev.arc2face.v1.Point;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Locale;

/** Draws what the detector saw onto the photo: boxes, indices, scores, landmarks. */
final class FaceDrawing {
    private static final Color BOX = new Color(0x00, 0xd0, 0x60);
    private static final Color LANDMARK = new Color(0xff, 0x40, 0x40);

    private FaceDrawing() {}

    static void draw(BufferedImage photo, List<Face> faces) {
        // Legible whatever the photo's size.
        int scale = Math.max(1, Math.max(photo.getWidth(), photo.getHeight()) / 400);
        Graphics2D graphics = photo.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setStroke(new BasicStroke(scale));
        for (Face face : faces) {
            graphics.setColor(BOX);
            graphics.draw(new Rectangle2D.Float(
                    face.getLeft(), face.getTop(), face.getRight() - face.getLeft(), face.getBottom() - face.getTop()));
            label(graphics, face, scale);
            graphics.setColor(LANDMARK);
            for (Point point : face.getLandmarksList()) {
                float radius = 1.5f * scale;
                graphics.fill(
                        new Ellipse2D.Float(point.getX() - radius, point.getY() - radius, 2 * radius, 2 * radius));
            }
        }
        graphics.dispose();
    }

    /** Index and score on a plate inside the box's top left corner, so that it is never outside of the photo. */
    private static void label(Graphics2D graphics, Face face, int scale) {
        String text = String.format(Locale.ROOT, "#%d %.3f", face.getIndex(), face.getScore());
        int x = Math.max(0, Math.round(face.getLeft()));
        int y = Math.max(0, Math.round(face.getTop()));
        graphics.fillRect(x, y, PixelFont.width(text, scale) + 4 * scale, (PixelFont.HEIGHT + 4) * scale);
        graphics.setColor(Color.BLACK);
        PixelFont.draw(graphics, text, x + 2 * scale, y + 2 * scale, scale);
    }
}
