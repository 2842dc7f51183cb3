package dev.arc2face.gateway.image;

import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.TreeMap;
import javax.imageio.IIOException;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A JPEG file. Its samples are taken raw from the JDK's reader and converted here, by libjpeg's rules and arithmetic,
 * since that reader guesses wrongly about files without a JFIF header and refuses CMYK.
 */
record JpegContainer(
        int width,
        int height,
        Orientation orientation,
        byte @Nullable [] colourProfile,
        ColourModel colourModel,
        byte[] stripped)
        implements Container {
    /** What the stored components are. */
    enum ColourModel {
        GREY(1),
        RGB(3),
        YCC(3),
        /** Adobe's: stored inverted. */
        CMYK(4),
        /** Adobe's: red, green and blue as luma and chroma are the inks' complement inverted, that is the inks. */
        YCCK(4);

        private final int components;

        ColourModel(int components) {
            this.components = components;
        }
    }

    /** However small the picture; encoders make about ten. */
    private static final int MAX_SCANS = 100;

    private static final byte[] EXIF = ascii("Exif\0\0");
    private static final byte[] ICC_PROFILE = ascii("ICC_PROFILE\0");
    private static final byte[] JFIF = ascii("JFIF\0");
    private static final byte[] ADOBE = ascii("Adobe");

    static boolean isJpeg(byte[] file) {
        return file.length >= 3 && file[0] == (byte) 0xff && file[1] == (byte) 0xd8 && file[2] == (byte) 0xff;
    }

    /**
     * Reads the segments up to the end of the first picture.
     *
     * @throws IIOException when the file is cut short or its structure is damaged
     */
    static JpegContainer read(byte[] file, PixelBudget budget) throws IIOException {
        return new Segments(file).read(budget);
    }

    @Override
    public Samples decode() throws IOException {
        ImageReader reader = Jdk.reader("jpeg");
        try {
            reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(stripped)), true, true);
            Raster raster = reader.readRaster(0, null);
            if (raster.getWidth() != width
                    || raster.getHeight() != height
                    || raster.getNumBands() != colourModel.components) {
                throw new IIOException("the JPEG decodes to another size than its header says");
            }
            return new JpegSamples(raster, colourModel);
        } finally {
            reader.dispose();
        }
    }

    private record JpegSamples(Raster raster, ColourModel colourModel) implements Samples {
        @Override
        public int channels() {
            return colourModel.components;
        }

        @Override
        public void readRow(int y, byte[] colours, byte[] alpha) {
            raster.getDataElements(0, y, raster.getWidth(), 1, colours);
            switch (colourModel) {
                case GREY, RGB -> {}
                case YCC -> toRgb(colours, 3);
                case CMYK -> {
                    for (int i = 0; i < colours.length; i++) {
                        colours[i] = (byte) ~colours[i];
                    }
                }
                case YCCK -> {
                    toRgb(colours, 4);
                    for (int i = 3; i < colours.length; i += 4) {
                        colours[i] = (byte) ~colours[i];
                    }
                }
            }
        }

        /** JFIF's conversion in libjpeg's fixed-point arithmetic (jdcolor.c), in place. */
        private static void toRgb(byte[] ycc, int stride) {
            for (int i = 0; i < ycc.length; i += stride) {
                int luma = ycc[i] & 0xff;
                int blue = (ycc[i + 1] & 0xff) - 128;
                int red = (ycc[i + 2] & 0xff) - 128;
                ycc[i] = clamp(luma + ((91881 * red + 32768) >> 16));
                ycc[i + 1] = clamp(luma + ((-22554 * blue - 46802 * red + 32768) >> 16));
                ycc[i + 2] = clamp(luma + ((116130 * blue + 32768) >> 16));
            }
        }

        private static byte clamp(int value) {
            return (byte) Math.max(0, Math.min(255, value));
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** One pass over a file's segments. */
    private static final class Segments {
        private final byte[] file;
        private final ByteArrayOutputStream kept;
        private final TreeMap<Integer, byte[]> profileChunks = new TreeMap<>();
        private @Nullable Orientation orientation;
        private @Nullable ByteBuffer frame;
        private boolean jfif;
        private int adobeTransform = -1;
        private int scans;
        private int position = 2;

        Segments(byte[] file) {
            this.file = file;
            kept = new ByteArrayOutputStream(file.length);
        }

        JpegContainer read(PixelBudget budget) throws IIOException {
            kept.write(file, 0, 2);
            while (true) {
                int marker = nextMarker();
                if (marker == 0xd9) {
                    break;
                }
                if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
                    continue; // stands alone
                }
                int start = position;
                int end = start + u16(start);
                require(end >= start + 2 && end <= file.length);
                position = end;
                switch (marker) {
                    case 0xe0 -> jfif |= startsWith(JFIF, start + 2, end);
                    case 0xe1 -> readExif(start + 2, end);
                    case 0xe2 -> readProfileChunk(start + 2, end);
                    case 0xee -> {
                        if (startsWith(ADOBE, start + 2, end) && end - start >= 14) {
                            adobeTransform = file[start + 13] & 0xff;
                        }
                    }
                    case 0xc0, 0xc1, 0xc2 -> { // baseline, extended, progressive
                        readFrame(start + 2, end, budget);
                        keep(marker, start, end);
                    }
                    // Some JDKs try to read these.
                    case 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf ->
                        throw new IIOException("the JPEG is lossless, hierarchical or arithmetic-coded");
                    case 0xc4, 0xdb, 0xdd -> keep(marker, start, end); // tables, restart interval
                    case 0xda -> {
                        countScan(budget);
                        skipEntropyCodedData();
                        keep(marker, start, position);
                    }
                    default -> {} // other applications' data, comments
                }
            }
            if (frame == null || scans == 0) {
                throw new IIOException("the JPEG has no picture");
            }
            kept.write(0xff);
            kept.write(0xd9);
            return new JpegContainer(
                    width(frame),
                    height(frame),
                    orientation == null ? Orientation.UPRIGHT : orientation,
                    profile(),
                    colourModel(frame),
                    kept.toByteArray());
        }

        /** As libjpeg does, bytes between segments that are no marker are passed over. */
        private int nextMarker() throws IIOException {
            while (true) {
                while (u8(position) != 0xff) {
                    position++;
                }
                while (u8(position) == 0xff) {
                    position++;
                }
                int marker = u8(position++);
                if (marker != 0) {
                    return marker;
                }
            }
        }

        private void skipEntropyCodedData() throws IIOException {
            while (true) {
                if (u8(position) == 0xff) {
                    int next = u8(position + 1);
                    boolean data = next == 0 || (next >= 0xd0 && next <= 0xd7);
                    if (!data && next != 0xff) {
                        return;
                    }
                    position += data ? 2 : 1;
                } else {
                    position++;
                }
            }
        }

        private void readFrame(int start, int end, PixelBudget budget) throws IIOException {
            require(frame == null && end - start >= 6);
            ByteBuffer header = ByteBuffer.wrap(file, start, end - start).slice();
            int components = header.get(5);
            require(width(header) > 0 && height(header) > 0 && header.limit() >= 6 + 3 * components);
            budget.require(width(header), height(header));
            frame = header;
        }

        /** The JDK's reader makes a whole picture after each scan. */
        private void countScan(PixelBudget budget) throws IIOException {
            if (frame == null) {
                throw new IIOException("the JPEG has a scan of no picture");
            }
            if (++scans > MAX_SCANS) {
                throw new IIOException("the JPEG has more than " + MAX_SCANS + " scans");
            }
            budget.requirePasses(width(frame), height(frame), scans);
        }

        private static int width(ByteBuffer frame) {
            return Short.toUnsignedInt(frame.getShort(3));
        }

        private static int height(ByteBuffer frame) {
            return Short.toUnsignedInt(frame.getShort(1));
        }

        /** libjpeg's rules (jdapimin.c, default_decompress_parms). */
        private ColourModel colourModel(ByteBuffer frame) throws IIOException {
            return switch (frame.get(5)) {
                case 1 -> ColourModel.GREY;
                case 3 -> {
                    boolean namedRgb = frame.get(6) == 'R' && frame.get(9) == 'G' && frame.get(12) == 'B';
                    boolean rgb = !jfif && (adobeTransform < 0 ? namedRgb : adobeTransform == 0);
                    yield rgb ? ColourModel.RGB : ColourModel.YCC;
                }
                case 4 -> adobeTransform == 2 ? ColourModel.YCCK : ColourModel.CMYK;
                default -> throw new IIOException("the JPEG has " + frame.get(5) + " components");
            };
        }

        private void readExif(int start, int end) {
            if (orientation == null && startsWith(EXIF, start, end)) {
                int tiff = start + EXIF.length;
                orientation = Orientation.fromExif(ByteBuffer.wrap(file, tiff, end - tiff));
            }
        }

        private void readProfileChunk(int start, int end) {
            int header = start + ICC_PROFILE.length;
            if (startsWith(ICC_PROFILE, start, end) && end >= header + 2) {
                profileChunks.put(file[header] & 0xff, Arrays.copyOfRange(file, header + 2, end));
            }
        }

        private byte @Nullable [] profile() {
            ByteArrayOutputStream profile = new ByteArrayOutputStream();
            profileChunks.values().forEach(profile::writeBytes);
            return profile.size() == 0 ? null : profile.toByteArray();
        }

        private void keep(int marker, int start, int end) {
            kept.write(0xff);
            kept.write(marker);
            kept.write(file, start, end - start);
        }

        private boolean startsWith(byte[] prefix, int start, int end) {
            return end - start >= prefix.length
                    && Arrays.equals(file, start, start + prefix.length, prefix, 0, prefix.length);
        }

        private int u16(int index) throws IIOException {
            return u8(index) << 8 | u8(index + 1);
        }

        private int u8(int index) throws IIOException {
            require(index < file.length);
            return file[index] & 0xff;
        }

        private static void require(boolean condition) throws IIOException {
            if (!condition) {
                throw new IIOException("the JPEG is damaged or cut short");
            }
        }
    }
}
