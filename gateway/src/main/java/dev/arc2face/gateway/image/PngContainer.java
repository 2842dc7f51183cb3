package dev.arc2face.gateway.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;
import javax.imageio.IIOException;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A PNG file. Of an animation this is its default picture. The JDK's reader gets the critical chunks and a palette's
 * opacities only: it would inflate any compressed text chunk without a limit, and it loses transparent colours.
 *
 * @param transparentColour the sample values, one a channel, of the only transparent colour; empty where there is none
 */
record PngContainer(
        int width,
        int height,
        Orientation orientation,
        byte @Nullable [] colourProfile,
        int[] transparentColour,
        byte[] stripped)
        implements Container {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int MAX_PROFILE_BYTES = 4 << 20;
    private static final int GREY = 0;
    private static final int RGB = 2;
    private static final int PALETTE = 3;

    static boolean isPng(byte[] file) {
        return file.length >= SIGNATURE.length
                && Arrays.equals(file, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length);
    }

    /**
     * Reads the chunks up to the end chunk.
     *
     * @throws IIOException when the file is cut short or its structure or a critical chunk's checksum is wrong
     */
    static PngContainer read(byte[] file, PixelBudget budget) throws IIOException {
        ByteBuffer chunks = ByteBuffer.wrap(file, SIGNATURE.length, file.length - SIGNATURE.length);
        ByteArrayOutputStream kept = new ByteArrayOutputStream(file.length);
        kept.writeBytes(SIGNATURE);
        Orientation orientation = Orientation.UPRIGHT;
        byte[] profile = null;
        boolean hasProfile = false;
        int[] transparentColour = {};

        ByteBuffer header = chunk(chunks);
        require(type(header).equals("IHDR") && header.limit() == 13 + 12);
        checkSum(header);
        int width = header.getInt(8);
        int height = header.getInt(12);
        int colourType = header.get(17);
        require(width > 0 && height > 0);
        budget.require(width, height);
        keep(header, kept);

        String type;
        do {
            ByteBuffer chunk = chunk(chunks);
            type = type(chunk);
            ByteBuffer body = chunk.slice(8, chunk.limit() - 12);
            switch (type) {
                case "PLTE", "IDAT", "IEND" -> {
                    checkSum(chunk);
                    keep(chunk, kept);
                }
                case "tRNS" -> {
                    if (colourType == PALETTE) {
                        keep(chunk, kept);
                    } else if (colourType == GREY || colourType == RGB) {
                        transparentColour = new int[colourType == GREY ? 1 : 3];
                        for (int i = 0; i < transparentColour.length; i++) {
                            transparentColour[i] = Short.toUnsignedInt(body.getShort());
                        }
                    }
                }
                case "iCCP" -> {
                    if (!hasProfile) { // there may be one, and each takes time to inflate
                        hasProfile = true;
                        profile = inflateProfile(body);
                    }
                }
                case "eXIf" -> orientation = Orientation.fromExif(body);
                default -> {} // texts, times, further frames
            }
        } while (!type.equals("IEND"));
        return new PngContainer(width, height, orientation, profile, transparentColour, kept.toByteArray());
    }

    /** The next chunk, from its length to its checksum. */
    private static ByteBuffer chunk(ByteBuffer chunks) throws IIOException {
        require(chunks.remaining() >= 12);
        int length = chunks.getInt(chunks.position());
        require(length >= 0 && length <= chunks.remaining() - 12);
        ByteBuffer chunk = chunks.slice(chunks.position(), length + 12);
        chunks.position(chunks.position() + chunk.limit());
        return chunk;
    }

    private static String type(ByteBuffer chunk) {
        return StandardCharsets.ISO_8859_1.decode(chunk.slice(4, 4)).toString();
    }

    private static void checkSum(ByteBuffer chunk) throws IIOException {
        CRC32 sum = new CRC32();
        sum.update(chunk.slice(4, chunk.limit() - 8));
        require((int) sum.getValue() == chunk.getInt(chunk.limit() - 4));
    }

    private static void keep(ByteBuffer chunk, ByteArrayOutputStream kept) {
        kept.write(chunk.array(), chunk.arrayOffset(), chunk.limit());
    }

    /** A damaged or an absurdly large profile is no reason to refuse a photo. */
    private static byte @Nullable [] inflateProfile(ByteBuffer body) {
        while (body.hasRemaining() && body.get() != 0) {} // the profile's name
        if (body.remaining() < 2) {
            return null;
        }
        body.get(); // compression method: deflate is the only one
        byte[] compressed = new byte[body.remaining()];
        body.get(compressed);
        try (InflaterInputStream inflater = new InflaterInputStream(new ByteArrayInputStream(compressed))) {
            byte[] profile = inflater.readNBytes(MAX_PROFILE_BYTES + 1);
            return profile.length > MAX_PROFILE_BYTES ? null : profile;
        } catch (IOException damaged) {
            return null;
        }
    }

    private static void require(boolean condition) throws IIOException {
        if (!condition) {
            throw new IIOException("the PNG is damaged or cut short");
        }
    }

    @Override
    public Samples decode() throws IOException {
        ImageReader reader = Jdk.reader("png");
        try {
            reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(stripped)), true, false);
            BufferedImage image = reader.read(0);
            if (image.getWidth() != width || image.getHeight() != height) {
                throw new IIOException("the PNG decodes to another size than its header says");
            }
            return image.getColorModel() instanceof IndexColorModel palette
                    ? new IndexedSamples(image.getRaster(), palette, transparentColour)
                    : new DirectSamples(image.getRaster(), transparentColour);
        } finally {
            reader.dispose();
        }
    }

    /** A palette, or grey of less than 8 bits. */
    private record IndexedSamples(Raster raster, IndexColorModel palette, int[] transparentColour) implements Samples {
        @Override
        public int channels() {
            return 3;
        }

        @Override
        public void readRow(int y, byte[] colours, byte[] alpha) {
            for (int x = 0; x < alpha.length; x++) {
                int index = raster.getSample(x, y, 0);
                int colour = palette.getRGB(index);
                colours[3 * x] = (byte) (colour >> 16);
                colours[3 * x + 1] = (byte) (colour >> 8);
                colours[3 * x + 2] = (byte) colour;
                boolean transparent = transparentColour.length > 0 && transparentColour[0] == index;
                alpha[x] = transparent ? 0 : (byte) (colour >> 24);
            }
        }
    }

    /** Grey or RGB of 8 or 16 bits, with or without alpha. */
    private record DirectSamples(Raster raster, int[] transparentColour) implements Samples {
        @Override
        public int channels() {
            return raster.getNumBands() < 3 ? 1 : 3;
        }

        @Override
        public void readRow(int y, byte[] colours, byte[] alpha) {
            int bands = raster.getNumBands();
            int channels = channels();
            int[] row = raster.getPixels(0, y, alpha.length, 1, (int[]) null);
            for (int x = 0; x < alpha.length; x++) {
                boolean transparent = transparentColour.length > 0;
                for (int channel = 0; channel < channels; channel++) {
                    int value = row[x * bands + channel];
                    colours[x * channels + channel] = toByte(value);
                    transparent &= transparentColour.length > 0 && transparentColour[channel] == value;
                }
                if (bands > channels) {
                    alpha[x] = toByte(row[x * bands + channels]);
                } else if (transparentColour.length > 0) {
                    alpha[x] = transparent ? 0 : (byte) 255;
                }
            }
        }

        private byte toByte(int value) {
            boolean wide = raster.getSampleModel().getDataType() == DataBuffer.TYPE_USHORT;
            return (byte) (wide ? (value * 255 + 32767) / 65535 : value);
        }
    }
}
