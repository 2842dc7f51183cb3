package dev.arc2face.gateway.cli;

import java.awt.Graphics2D;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A 5x7 font for captions. The JDK's own text needs font files and fontconfig, which a server image or a headless Java
 * often lacks, and looks different everywhere; this one is always there and always the same. Capitals, digits and a
 * few signs; anything else is a question mark.
 */
final class PixelFont {
    static final int HEIGHT = 7;
    private static final int WIDTH = 5;
    private static final int ADVANCE = WIDTH + 1;

    private static final Map<Character, List<String>> GLYPHS = new HashMap<>();

    static {
        add("0123456789", """
                .###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###.
                #...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...#
                #..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...#
                #.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .####
                ##..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....#
                #...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#.
                .###. .###. ##### .###. ...#. .###. .###. .#... .###. .##..
                """);
        add("ABCDEFGHIJ", """
                .###. ####. .###. ####. ##### ##### .###. #...# .###. ..###
                #...# #...# #...# #...# #.... #.... #...# #...# ..#.. ...#.
                #...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#.
                ##### ####. #.... #...# ####. ####. #.### ##### ..#.. ...#.
                #...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#.
                #...# #...# #...# #...# #.... #.... #...# #...# ..#.. #..#.
                #...# ####. .###. ####. ##### #.... .###. #...# .###. .##..
                """);
        add("KLMNOPQRST", """
                #...# #.... #...# #...# .###. ####. .###. ####. .#### #####
                #..#. #.... ##.## #...# #...# #...# #...# #...# #.... ..#..
                #.#.. #.... #.#.# ##..# #...# #...# #...# #...# #.... ..#..
                ##... #.... #.#.# #.#.# #...# ####. #...# ####. .###. ..#..
                #.#.. #.... #...# #..## #...# #.... #.#.# #.#.. ....# ..#..
                #..#. #.... #...# #...# #...# #.... #..#. #..#. ....# ..#..
                #...# ##### #...# #...# .###. #.... .##.# #...# ####. ..#..
                """);
        add("UVWXYZ.-#?", """
                #...# #...# #...# #...# #...# ##### ..... ..... .#.#. .###.
                #...# #...# #...# #...# #...# ....# ..... ..... .#.#. #...#
                #...# #...# #...# .#.#. .#.#. ...#. ..... ..... ##### ....#
                #...# #...# #.#.# ..#.. ..#.. ..#.. ..... ##### .#.#. ...#.
                #...# #...# #.#.# .#.#. ..#.. .#... ..... ..... ##### ..#..
                #...# .#.#. ##.## #...# ..#.. #.... .##.. ..... .#.#. .....
                .###. ..#.. #...# #...# ..#.. ##### .##.. ..... .#.#. ..#..
                """);
        GLYPHS.put(' ', List.of());
    }

    private PixelFont() {}

    private static void add(String characters, String drawing) {
        for (int i = 0; i < characters.length(); i++) {
            int left = i * ADVANCE;
            GLYPHS.put(
                    characters.charAt(i),
                    drawing.lines()
                            .map(row -> row.substring(left, left + WIDTH))
                            .toList());
        }
    }

    /** Width of a text in pixels; each dot of a glyph is {@code scale} pixels wide. */
    static int width(String text, int scale) {
        return Math.max(0, (text.length() * ADVANCE - 1) * scale);
    }

    /** Draws a text in the current colour, its top left corner at (x, y). */
    static void draw(Graphics2D graphics, String text, int x, int y, int scale) {
        String capitals = text.toUpperCase(Locale.ROOT);
        for (int i = 0; i < capitals.length(); i++) {
            List<String> glyph = GLYPHS.getOrDefault(capitals.charAt(i), GLYPHS.getOrDefault('?', List.of()));
            for (int row = 0; row < glyph.size(); row++) {
                for (int column = 0; column < WIDTH; column++) {
                    if (glyph.get(row).charAt(column) == '#') {
                        graphics.fillRect(x + (i * ADVANCE + column) * scale, y + row * scale, scale, scale);
                    }
                }
            }
        }
    }
}
