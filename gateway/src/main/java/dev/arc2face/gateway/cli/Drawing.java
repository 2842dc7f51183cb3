package dev.arc2face.gateway.cli;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.provenance.XmpPacket;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Encoded pictures to something that can be drawn on, and that to a file. */
final class Drawing {
    /** The server has accepted whatever is drawn here; its own limits held. */
    private static final PhotoDecoder DECODER = new PhotoDecoder(Integer.MAX_VALUE, 100_000_000);

    private Drawing() {}

    /** Decodes an encoded picture, upright. */
    static Pixels pixels(byte[] encoded) {
        return DECODER.decode(encoded);
    }

    /** The same, to be drawn on. */
    static BufferedImage decode(byte[] encoded) {
        Pixels pixels = pixels(encoded);
        BufferedImage image = new BufferedImage(pixels.width(), pixels.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = pixels.rgb();
        int[] packed = new int[pixels.width() * pixels.height()];
        for (int i = 0; i < packed.length; i++) {
            packed[i] = ((rgb[3 * i] & 0xff) << 16) | ((rgb[3 * i + 1] & 0xff) << 8) | (rgb[3 * i + 2] & 0xff);
        }
        image.setRGB(0, 0, pixels.width(), pixels.height(), packed, 0, pixels.width());
        return image;
    }

    /** Writes a PNG file, and the folder for it where that is missing. */
    static void writePng(BufferedImage image, Path file) {
        write(PictureEncoder.encode(pixels(image), ImageFormat.PNG, 0), file);
    }

    /** The same of a picture with portraits in it, which says that they were made by a model. */
    static void writeComposite(BufferedImage image, Path file) {
        write(PictureEncoder.encode(pixels(image), ImageFormat.PNG, 0, XmpPacket.ofComposite()), file);
    }

    private static Pixels pixels(BufferedImage image) {
        int[] packed = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        byte[] rgb = new byte[3 * packed.length];
        for (int i = 0; i < packed.length; i++) {
            rgb[3 * i] = (byte) (packed[i] >> 16);
            rgb[3 * i + 1] = (byte) (packed[i] >> 8);
            rgb[3 * i + 2] = (byte) packed[i];
        }
        return new Pixels(image.getWidth(), image.getHeight(), rgb);
    }

    private static void write(byte[] png, Path file) {
        try {
            Path folder = file.toAbsolutePath().getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            Files.write(file, png);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.OTHER, "cannot write " + file + ": " + e.getMessage());
        }
    }
}
