package dev.arc2face.gateway.cli;

import dev.arc2face.v1.Face;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/** One picture of a whole generation: the input's face, then the portraits, each with its caption. */
final class ContactSheet {
    static final int TILE = 256;
    static final int GAP = 16;
    static final int CAPTION = 2 * PixelFont.HEIGHT + GAP;
    static final int COLUMNS = 5;

    private static final int FONT_SCALE = 2;
    /** The crop's side in sides of the face's box: hair and chin belong to the face for whoever looks at it. */
    private static final double CROP = 1.7;

    private final List<Tile> tiles = new ArrayList<>();

    private record Tile(BufferedImage picture, String caption) {}

    void add(BufferedImage picture, String caption) {
        tiles.add(new Tile(picture, caption));
    }

    /** Rows of at most {@link #COLUMNS} tiles, in the order in which they were added. */
    BufferedImage draw() {
        int columns = Math.max(1, Math.min(COLUMNS, tiles.size()));
        int rows = Math.max(1, (tiles.size() + columns - 1) / columns);
        BufferedImage sheet = new BufferedImage(
                GAP + columns * (TILE + GAP), GAP + rows * (TILE + CAPTION + GAP), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        for (int i = 0; i < tiles.size(); i++) {
            Tile tile = tiles.get(i);
            int x = GAP + i % columns * (TILE + GAP);
            int y = GAP + i / columns * (TILE + CAPTION + GAP);
            graphics.drawImage(halvedTowardsTile(tile.picture()), x, y, TILE, TILE, null);
            graphics.setColor(Color.DARK_GRAY);
            int left = x + (TILE - PixelFont.width(tile.caption(), FONT_SCALE)) / 2;
            PixelFont.draw(graphics, tile.caption(), left, y + TILE + GAP / 2, FONT_SCALE);
        }
        graphics.dispose();
        return sheet;
    }

    /** Java2D looks at four by four pixels only, so that shrinking by more than two would leave pixels out. */
    private static BufferedImage halvedTowardsTile(BufferedImage picture) {
        BufferedImage smaller = picture;
        while (smaller.getWidth() >= 2 * TILE && smaller.getHeight() >= 2 * TILE) {
            BufferedImage half =
                    new BufferedImage(smaller.getWidth() / 2, smaller.getHeight() / 2, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = half.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.drawImage(smaller, 0, 0, half.getWidth(), half.getHeight(), null);
            graphics.dispose();
            smaller = half;
        }
        return smaller;
    }

    /** The square around a face, as large as hair and chin need and the photo allows. */
    static BufferedImage crop(BufferedImage photo, Face face) {
        double wanted = CROP * Math.max(face.getRight() - face.getLeft(), face.getBottom() - face.getTop());
        int side = (int) Math.max(1, Math.min(wanted, Math.min(photo.getWidth(), photo.getHeight())));
        int x = (int) Math.round((face.getLeft() + face.getRight() - side) / 2.0);
        int y = (int) Math.round((face.getTop() + face.getBottom() - side) / 2.0);
        return photo.getSubimage(
                Math.max(0, Math.min(x, photo.getWidth() - side)),
                Math.max(0, Math.min(y, photo.getHeight() - side)),
                side,
                side);
    }
}
