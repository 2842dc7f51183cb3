package dev.arc2face.gateway.image;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.IIOException;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A WebP file. Of an animation this is the first frame on its canvas.
 *
 * @param frame where the frame lies on the canvas
 * @param opacities of the frame's pixels, where the file has them uncompressed: the reader takes no such ones
 */
record WebpContainer(
        int width,
        int height,
        Orientation orientation,
        byte @Nullable [] colourProfile,
        Frame frame,
        byte @Nullable [] opacities,
        byte[] stripped)
        implements Container {
    private static final String LOSSY = "VP8 ";
    private static final String LOSSLESS = "VP8L";
    private static final int ALPHA_FLAG = 0x10;
    private static final int HEADER = 8;
    /** What stands before the bits of a lossless picture: its signature and size. */
    private static final int LOSSLESS_HEADER = 5;
    /** Zeros after a lossless picture: its reader does not notice the end of its input, but these are seen to be read. */
    private static final int OVERRUN = 16;

    /** A rectangle of the canvas, in pixels. */
    record Frame(int left, int top, int width, int height) {}

    static boolean isWebp(byte[] file) {
        return file.length >= 12
                && name(ByteBuffer.wrap(file), 0).equals("RIFF")
                && name(ByteBuffer.wrap(file), 8).equals("WEBP");
    }

    /**
     * Reads the chunks.
     *
     * @throws IIOException when the file is cut short or its structure is damaged
     */
    static WebpContainer read(byte[] file, PixelBudget budget) throws IIOException {
        return new Chunks(file).read(budget);
    }

    @Override
    public Samples decode() throws IOException {
        ImageReader reader = new WebPImageReaderSpi().createReaderInstance(null);
        try {
            ImageInputStream input = new MemoryCacheImageInputStream(new ByteArrayInputStream(stripped));
            reader.setInput(input, true, true);
            BufferedImage image = reader.read(0);
            if (image.getWidth() != frame.width || image.getHeight() != frame.height) {
                throw new IIOException("the WebP decodes to another size than its header says");
            }
            boolean lossless = name(ByteBuffer.wrap(stripped), 12).equals(LOSSLESS);
            if (lossless && input.getStreamPosition() > stripped.length - OVERRUN) {
                throw new IIOException("the WebP has too little data");
            }
            return new WebpSamples(image.getRaster(), frame, opacities);
        } finally {
            reader.dispose();
        }
    }

    /** A frame on a transparent canvas. */
    private record WebpSamples(Raster raster, Frame frame, byte @Nullable [] opacities) implements Samples {
        @Override
        public int channels() {
            return 3;
        }

        @Override
        public void readRow(int y, byte[] colours, byte[] alpha) {
            Arrays.fill(alpha, (byte) 0);
            if (y < frame.top || y >= frame.top + frame.height) {
                return;
            }
            int bands = raster.getNumBands();
            int[] row = raster.getPixels(0, y - frame.top, frame.width, 1, (int[]) null);
            for (int x = 0; x < frame.width; x++) {
                for (int channel = 0; channel < 3; channel++) {
                    colours[(frame.left + x) * 3 + channel] = (byte) row[x * bands + channel];
                }
                alpha[frame.left + x] = bands == 4 ? (byte) row[x * bands + 3] : (byte) 255;
            }
            if (opacities != null) {
                System.arraycopy(opacities, (y - frame.top) * frame.width, alpha, frame.left, frame.width);
            }
        }
    }

    private static String name(ByteBuffer buffer, int index) {
        return StandardCharsets.ISO_8859_1.decode(buffer.slice(index, 4)).toString();
    }

    /** One pass over a file's chunks. */
    private static final class Chunks {
        private final ByteBuffer file;
        private int canvasWidth;
        private int canvasHeight;
        private Orientation orientation = Orientation.UPRIGHT;
        private byte @Nullable [] profile;
        private @Nullable Frame frame;
        private byte @Nullable [] alpha;
        private byte @Nullable [] picture;

        Chunks(byte[] file) {
            this.file = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        }

        WebpContainer read(PixelBudget budget) throws IIOException {
            long end = Integer.toUnsignedLong(file.getInt(4)) + HEADER;
            require(end <= file.limit());
            readChunks(file.position(12).limit((int) end), budget);
            if (frame == null || picture == null) {
                throw new IIOException("the WebP has no picture");
            }
            byte[] opacities = null;
            if (isLossless(picture)) {
                LosslessHead.check(picture, HEADER + LOSSLESS_HEADER, frame.width, frame.height);
            } else if (alpha != null) {
                require(alpha.length > HEADER && (alpha[HEADER] & 3) <= 1);
                if ((alpha[HEADER] & 3) == 0) {
                    opacities = opacities(alpha, frame);
                    alpha = null;
                } else {
                    LosslessHead.check(alpha, HEADER + 1, frame.width, frame.height);
                }
            }
            return new WebpContainer(
                    canvasWidth, canvasHeight, orientation, profile, frame, opacities, stripped(picture));
        }

        /** What an ALPH chunk holds that is not compressed: differences to a prediction (RFC 9649, section 2.7.1.2). */
        private static byte[] opacities(byte[] alpha, Frame frame) throws IIOException {
            int start = HEADER + 1;
            int width = frame.width;
            require(alpha.length - start >= width * frame.height);
            byte[] opacities = Arrays.copyOfRange(alpha, start, start + width * frame.height);
            int filter = alpha[HEADER] >> 2 & 3;
            for (int i = 1; filter != 0 && i < opacities.length; i++) {
                boolean first = i < width; // row
                boolean leftmost = i % width == 0;
                int left = leftmost ? 0 : opacities[i - 1] & 0xff;
                int above = first ? 0 : opacities[i - width] & 0xff;
                int predicted;
                if (first || leftmost) {
                    predicted = left + above;
                } else if (filter < 3) {
                    predicted = filter == 1 ? left : above;
                } else {
                    int gradient = left + above - (opacities[i - width - 1] & 0xff);
                    predicted = Math.max(0, Math.min(255, gradient));
                }
                opacities[i] = (byte) (opacities[i] + predicted);
            }
            return opacities;
        }

        private static boolean isLossless(byte[] picture) {
            return name(ByteBuffer.wrap(picture), 0).equals(LOSSLESS);
        }

        private void readChunks(ByteBuffer chunks, PixelBudget budget) throws IIOException {
            while (chunks.remaining() >= HEADER) {
                String name = name(chunks, chunks.position());
                long length = Integer.toUnsignedLong(chunks.getInt(chunks.position() + 4));
                require(length <= chunks.remaining() - HEADER);
                ByteBuffer chunk =
                        chunks.slice(chunks.position(), HEADER + (int) length).order(ByteOrder.LITTLE_ENDIAN);
                chunks.position(Math.min(chunks.limit(), chunks.position() + chunk.limit() + (chunk.limit() & 1)));
                readChunk(name, chunk.position(HEADER), budget);
            }
        }

        private void readChunk(String name, ByteBuffer chunk, PixelBudget budget) throws IIOException {
            switch (name) {
                case "VP8X" -> {
                    canvasWidth = u24(chunk, 12) + 1;
                    canvasHeight = u24(chunk, 15) + 1;
                    budget.require(canvasWidth, canvasHeight);
                }
                case "ICCP" -> profile = bytes(chunk);
                case "EXIF" -> orientation = Orientation.fromExif(withoutExifHeader(chunk));
                case "ANMF" -> {
                    if (frame == null) {
                        require(chunk.remaining() >= 16);
                        frame = new Frame(
                                2 * u24(chunk, 8), 2 * u24(chunk, 11), u24(chunk, 14) + 1, u24(chunk, 17) + 1);
                        require(frame.left + frame.width <= canvasWidth && frame.top + frame.height <= canvasHeight);
                        readChunks(chunk.position(24).slice().order(ByteOrder.LITTLE_ENDIAN), budget);
                    }
                }
                case "ALPH" -> {
                    if (picture == null) {
                        alpha = whole(chunk);
                    }
                }
                case LOSSY -> {
                    require(chunk.remaining() >= 10 && (chunk.get(HEADER) & 1) == 0); // a key frame
                    readPicture(chunk, chunk.getShort(14) & 0x3fff, chunk.getShort(16) & 0x3fff, budget);
                }
                case LOSSLESS -> {
                    require(chunk.remaining() >= 5);
                    int sizes = chunk.getInt(9);
                    readPicture(chunk, (sizes & 0x3fff) + 1, ((sizes >> 14) & 0x3fff) + 1, budget);
                }
                default -> {} // XMP, animation settings, unknown
            }
        }

        private void readPicture(ByteBuffer chunk, int width, int height, PixelBudget budget) throws IIOException {
            if (picture != null) {
                return; // a later frame
            }
            require(width > 0 && height > 0);
            budget.require(width, height);
            if (canvasWidth == 0) { // the simple format has no canvas
                canvasWidth = width;
                canvasHeight = height;
            }
            if (frame == null) {
                frame = new Frame(0, 0, canvasWidth, canvasHeight);
            }
            require(width == frame.width && height == frame.height);
            picture = whole(chunk);
        }

        /** A still picture with nothing but its pixels. */
        private byte[] stripped(byte[] picture) {
            ByteArrayOutputStream chunks = new ByteArrayOutputStream();
            if (alpha != null && frame != null && !isLossless(picture)) {
                ByteBuffer extended = ByteBuffer.allocate(HEADER + 10).order(ByteOrder.LITTLE_ENDIAN);
                extended.put("VP8X".getBytes(StandardCharsets.US_ASCII))
                        .putInt(10)
                        .putInt(ALPHA_FLAG);
                putU24(extended, frame.width - 1);
                putU24(extended, frame.height - 1);
                chunks.writeBytes(extended.array());
                writePadded(alpha, chunks);
            }
            if (isLossless(picture)) {
                chunks.writeBytes(picture);
                chunks.writeBytes(new byte[OVERRUN]);
            } else {
                writePadded(picture, chunks);
            }
            ByteBuffer riff = ByteBuffer.allocate(12 + chunks.size()).order(ByteOrder.LITTLE_ENDIAN);
            riff.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(4 + chunks.size());
            riff.put("WEBP".getBytes(StandardCharsets.US_ASCII)).put(chunks.toByteArray());
            return riff.array();
        }

        private static void writePadded(byte[] chunk, ByteArrayOutputStream chunks) {
            chunks.writeBytes(chunk);
            if ((chunk.length & 1) == 1) {
                chunks.write(0);
            }
        }

        private static void putU24(ByteBuffer buffer, int value) {
            buffer.put((byte) value).put((byte) (value >> 8)).put((byte) (value >> 16));
        }

        private static int u24(ByteBuffer buffer, int index) {
            return Short.toUnsignedInt(buffer.getShort(index)) | (buffer.get(index + 2) & 0xff) << 16;
        }

        /** The specification has the bare TIFF structure; some writers put JPEG's header before it. */
        private static ByteBuffer withoutExifHeader(ByteBuffer chunk) {
            boolean header =
                    chunk.remaining() >= 6 && name(chunk, chunk.position()).equals("Exif");
            return header ? chunk.position(chunk.position() + 6) : chunk;
        }

        private static byte[] whole(ByteBuffer chunk) {
            return bytes(chunk.duplicate().position(0));
        }

        private static byte[] bytes(ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return bytes;
        }

        private static void require(boolean condition) throws IIOException {
            if (!condition) {
                throw new IIOException("the WebP is damaged or cut short");
            }
        }
    }
}
