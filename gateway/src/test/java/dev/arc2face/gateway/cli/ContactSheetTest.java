package dev.arc2face.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.v1.Face;
import dev.arc2face.v1.Point;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContactSheetTest {
    private static final int CELL = ContactSheet.TILE + ContactSheet.GAP;

    private static BufferedImage plain(int width, int height, Color color) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(color);
        graphics.fillRect(0, 0, width, height);
        graphics.dispose();
        return image;
    }

    private static Color middle(BufferedImage sheet, int column, int row) {
        int x = ContactSheet.GAP + column * CELL + ContactSheet.TILE / 2;
        int y = ContactSheet.GAP + row * (CELL + ContactSheet.CAPTION) + ContactSheet.TILE / 2;
        return new Color(sheet.getRGB(x, y));
    }

    private static boolean hasInk(BufferedImage sheet, int column, int row) {
        int left = ContactSheet.GAP + column * CELL;
        int top = ContactSheet.GAP + row * (CELL + ContactSheet.CAPTION) + ContactSheet.TILE;
        for (int y = top; y < top + ContactSheet.CAPTION; y++) {
            for (int x = left; x < left + ContactSheet.TILE; x++) {
                if (sheet.getRGB(x, y) != Color.WHITE.getRGB()) {
                    return true;
                }
            }
        }
        return false;
    }

    @Test
    void picturesOfAnySizeStandInOrderWithTheirCaptions() {
        ContactSheet sheet = new ContactSheet();
        sheet.add(plain(700, 700, Color.RED), "input");
        sheet.add(plain(128, 128, Color.GREEN), "similarity 0.512");
        sheet.add(plain(512, 512, Color.BLUE), "no face found");
        BufferedImage drawn = sheet.draw();
        assertThat(drawn.getWidth()).isEqualTo(ContactSheet.GAP + 3 * CELL);
        assertThat(List.of(middle(drawn, 0, 0), middle(drawn, 1, 0), middle(drawn, 2, 0)))
                .containsExactly(Color.RED, Color.GREEN, Color.BLUE);
        assertThat(List.of(hasInk(drawn, 0, 0), hasInk(drawn, 1, 0), hasInk(drawn, 2, 0)))
                .containsOnly(true);
    }

    @Test
    void aFullRowIsFollowedByAnother() {
        ContactSheet sheet = new ContactSheet();
        for (int i = 0; i <= ContactSheet.COLUMNS; i++) {
            sheet.add(plain(128, 128, i == ContactSheet.COLUMNS ? Color.RED : Color.GREEN), "#" + i);
        }
        BufferedImage drawn = sheet.draw();
        assertThat(middle(drawn, 0, 1)).isEqualTo(Color.RED);
        assertThat(middle(drawn, 1, 1)).isEqualTo(Color.WHITE);
    }

    @Test
    void theCropIsASquareInsideThePhoto() {
        BufferedImage photo = plain(200, 120, Color.GRAY);
        Face atTheCorner = Face.newBuilder()
                .setLeft(-5)
                .setTop(-3)
                .setRight(35)
                .setBottom(45)
                .build();
        BufferedImage crop = ContactSheet.crop(photo, atTheCorner);
        assertThat(crop.getWidth()).isEqualTo(crop.getHeight()).isBetween(75, 85);
        Face larger = Face.newBuilder()
                .setLeft(0)
                .setTop(0)
                .setRight(200)
                .setBottom(120)
                .build();
        assertThat(ContactSheet.crop(photo, larger).getHeight()).isEqualTo(120);
    }

    @Test
    void facesAreMarkedAndTheFileIsAPng(@TempDir Path folder) throws IOException {
        BufferedImage photo = plain(200, 200, Color.BLACK);
        FaceDrawing.draw(
                photo,
                List.of(Face.newBuilder()
                        .setLeft(50)
                        .setTop(60)
                        .setRight(150)
                        .setBottom(180)
                        .setScore(0.9f)
                        .addLandmarks(Point.newBuilder().setX(100).setY(120))
                        .build()));
        Path file = folder.resolve("new/faces.png");
        Drawing.writePng(photo, file);
        BufferedImage written = ImageIO.read(file.toFile());
        assertThat(new Color(written.getRGB(150, 120))).isNotEqualTo(Color.BLACK);
        assertThat(new Color(written.getRGB(100, 120)).getRed()).isGreaterThan(200);
        assertThat(new Color(written.getRGB(20, 20))).isEqualTo(Color.BLACK);
    }

    @Test
    void everyCharacterOfACaptionHasItsOwnGlyph() {
        String text = "abcdefghijklmnopqrstuvwxyz0123456789.-#";
        BufferedImage unknown = glyph('?');
        for (int i = 0; i < text.length(); i++) {
            char character = text.charAt(i);
            assertThat(pixels(glyph(character))).as("%s", character).isNotEqualTo(pixels(unknown));
        }
    }

    private static BufferedImage glyph(char character) {
        BufferedImage image = new BufferedImage(5, PixelFont.HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        PixelFont.draw(graphics, Character.toString(character), 0, 0, 1);
        graphics.dispose();
        return image;
    }

    private static int[] pixels(BufferedImage image) {
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }
}
