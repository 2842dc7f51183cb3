package dev.arc2face.gateway.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.w3c.dom.NodeList;

/**
 * Pixels to encoded pictures, by the JDK's writers and {@link LosslessWebp}. The same pixels and metadata give the same
 * bytes: no time or name is written. JPEGs are baseline without chroma subsampling (4:4:4), which would smear lips and
 * eyes.
 */
public final class PictureEncoder {
    private static final String JPEG_METADATA = "javax_imageio_jpeg_image_1.0";

    private PictureEncoder() {}

    /**
     * Encodes a picture.
     *
     * @param jpegQuality 1 to 100; without meaning for other formats
     */
    public static byte[] encode(Pixels picture, ImageFormat format, int jpegQuality) {
        return switch (format) {
            case PNG -> encode(picture, format, jpegQuality, Jdk.writer("png"));
            case JPEG -> encode(picture, format, jpegQuality, Jdk.writer("jpeg"));
            case WEBP -> LosslessWebp.encode(picture);
        };
    }

    /**
     * Encodes a picture, with metadata.
     *
     * @param jpegQuality 1 to 100; without meaning for other formats
     * @param xmp an XMP packet
     */
    public static byte[] encode(Pixels picture, ImageFormat format, int jpegQuality, byte[] xmp) {
        return EmbeddedXmp.embed(encode(picture, format, jpegQuality), format, xmp);
    }

    private static byte[] encode(Pixels picture, ImageFormat format, int jpegQuality, ImageWriter writer) {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream output = new MemoryCacheImageOutputStream(encoded)) {
            BufferedImage image = image(picture);
            ImageWriteParam settings = writer.getDefaultWriteParam();
            IIOMetadata metadata = null;
            if (format == ImageFormat.JPEG) {
                if (jpegQuality < 1 || jpegQuality > 100) {
                    throw new IllegalArgumentException("a JPEG quality of " + jpegQuality);
                }
                settings.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
                settings.setCompressionQuality(jpegQuality / 100f);
                metadata = withoutSubsampling(
                        writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(image), settings));
            }
            writer.setOutput(output);
            writer.write(null, new IIOImage(image, null, metadata), settings);
        } catch (IOException e) {
            throw new UncheckedIOException("a picture could not be written to memory", e);
        } finally {
            writer.dispose();
        }
        return encoded.toByteArray();
    }

    /** The pixels as they lie in memory, not copied. */
    private static BufferedImage image(Pixels picture) {
        int[] bandOffsets = {0, 1, 2};
        ComponentColorModel sRgb = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB),
                false,
                false,
                ComponentColorModel.OPAQUE,
                DataBuffer.TYPE_BYTE);
        return new BufferedImage(
                sRgb,
                Raster.createInterleavedRaster(
                        new DataBufferByte(picture.rgb(), picture.rgb().length),
                        picture.width(),
                        picture.height(),
                        picture.width() * 3,
                        3,
                        bandOffsets,
                        null),
                false,
                null);
    }

    private static IIOMetadata withoutSubsampling(IIOMetadata metadata) throws IOException {
        IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree(JPEG_METADATA);
        NodeList components = root.getElementsByTagName("componentSpec");
        for (int i = 0; i < components.getLength(); i++) {
            IIOMetadataNode component = (IIOMetadataNode) components.item(i);
            component.setAttribute("HsamplingFactor", "1");
            component.setAttribute("VsamplingFactor", "1");
        }
        metadata.setFromTree(JPEG_METADATA, root);
        return metadata;
    }
}
