package dev.arc2face.gateway.image;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Semaphore;

/**
 * Encoded photo to upright sRGB pixels: JPEG, PNG or WebP, told apart by their first bytes. EXIF orientation is
 * applied, ICC colours become sRGB, alpha is laid over white, 16 bits become 8, an animation is its first picture.
 *
 * <p>A photo that is too large is refused from its header, before anything is decoded. However many callers there are,
 * no more than {@code maxPixels} pixels are being decoded at once; a photo that finds no place waits for one, in the
 * order of arrival. Safe to use from any number of threads.
 */
public final class PhotoDecoder {
    /** All photos of an identity may have as many pixels as so many of the largest photos. */
    public static final int LARGEST_OF_AN_IDENTITY = 4;

    private final int maxBytes;
    private final int maxPixels;
    private final Semaphore places; // one for each pixel that is being decoded

    /**
     * A decoder with limits.
     *
     * @param maxBytes of an encoded photo
     * @param maxPixels of a decoded photo, and of all photos that are being decoded
     */
    public PhotoDecoder(int maxBytes, int maxPixels) {
        if (maxBytes < 1 || maxPixels < 1) {
            throw new IllegalArgumentException("limits below 1: " + maxBytes + " bytes, " + maxPixels + " pixels");
        }
        this.maxBytes = maxBytes;
        this.maxPixels = maxPixels;
        places = new Semaphore(maxPixels, true);
    }

    /** What the photos of one identity may make of work. */
    public PixelAllowance newAllowance() {
        return new PixelAllowance((long) LARGEST_OF_AN_IDENTITY * maxPixels);
    }

    /** Decodes a photo that is alone, as {@link #decode(byte[], PixelAllowance)}. */
    public Pixels decode(byte[] photo) {
        return decode(photo, newAllowance());
    }

    /**
     * Decodes a photo.
     *
     * @param photo the encoded photo
     * @param allowance what is left for it
     * @return [H,W,3], upright
     * @throws FailureException UNSUPPORTED_IMAGE_FORMAT; IMAGE_TOO_LARGE; IMAGE_DECODE_FAILED where it is damaged or cut
     *     short
     */
    public Pixels decode(byte[] photo, PixelAllowance allowance) {
        if (photo.length > maxBytes) {
            throw PixelBudget.tooLarge(maxBytes, photo.length, "bytes");
        }
        try {
            PixelBudget budget = new PixelBudget(maxPixels);
            Container container = open(photo, budget);
            allowance.spend(budget.work());
            int pixels = container.width() * container.height(); // within the budget
            places.acquireUninterruptibly(pixels);
            try {
                return develop(container);
            } finally {
                places.release(pixels);
            }
        } catch (FailureException e) {
            throw e;
        } catch (IOException | RuntimeException e) { // readers throw what they like at damaged data
            throw FailureException.causedBy(
                    e, ErrorReason.IMAGE_DECODE_FAILED, "the photo is damaged or cut short: send it again");
        }
    }

    private static Container open(byte[] photo, PixelBudget budget) throws IOException {
        if (JpegContainer.isJpeg(photo)) {
            return JpegContainer.read(photo, budget);
        }
        if (PngContainer.isPng(photo)) {
            return PngContainer.read(photo, budget);
        }
        if (WebpContainer.isWebp(photo)) {
            return WebpContainer.read(photo, budget);
        }
        throw FailureException.of(
                ErrorReason.UNSUPPORTED_IMAGE_FORMAT, "the photo is none of JPEG, PNG, WebP: send one of these");
    }

    private static Pixels develop(Container container) throws IOException {
        int width = container.width();
        int height = container.height();
        Orientation orientation = container.orientation();
        Samples samples = container.decode();
        ColourConversion conversion = ColourConversion.of(samples.channels(), container.colourProfile());

        int uprightWidth = orientation.transposed() ? height : width;
        int uprightHeight = orientation.transposed() ? width : height;
        byte[] upright = new byte[width * height * 3];
        byte[] colours = new byte[width * samples.channels()];
        byte[] alpha = new byte[width];
        Arrays.fill(alpha, (byte) 255);
        byte[] rgb = new byte[width * 3];
        for (int y = 0; y < height; y++) {
            samples.readRow(y, colours, alpha);
            conversion.toRgb(colours, rgb);
            for (int x = 0; x < width; x++) {
                int column = orientation.transposed() ? y : x;
                int row = orientation.transposed() ? x : y;
                column = orientation.columnsReversed() ? uprightWidth - 1 - column : column;
                row = orientation.rowsReversed() ? uprightHeight - 1 - row : row;
                int target = (row * uprightWidth + column) * 3;
                for (int channel = 0; channel < 3; channel++) {
                    upright[target + channel] = overWhite(rgb[3 * x + channel], alpha[x]);
                }
            }
        }
        return new Pixels(uprightWidth, uprightHeight, upright);
    }

    private static byte overWhite(byte colour, byte alpha) {
        int opacity = alpha & 0xff;
        return (byte) (((colour & 0xff) * opacity + 255 * (255 - opacity) + 127) / 255);
    }
}
