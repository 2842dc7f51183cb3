package dev.arc2face.gateway.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How a stored picture is brought upright: first rows and columns change places, then columns and rows are reversed.
 *
 * @param transposed rows become columns
 * @param columnsReversed left and right change places after that
 * @param rowsReversed top and bottom change places after that
 */
record Orientation(boolean transposed, boolean columnsReversed, boolean rowsReversed) {
    static final Orientation UPRIGHT = new Orientation(false, false, false);

    private static final int ORIENTATION_TAG = 0x0112;
    private static final int SHORT = 3;

    /**
     * The orientation that EXIF data has; upright where it has none or is damaged, since a photo is not to be refused
     * for that.
     *
     * @param exif a TIFF structure, as in a JPEG's APP1 after its header
     */
    static Orientation fromExif(ByteBuffer exif) {
        try {
            ByteBuffer tiff = exif.slice();
            short byteOrder = tiff.getShort();
            if (byteOrder != 0x4949 && byteOrder != 0x4d4d) {
                return UPRIGHT;
            }
            tiff.order(byteOrder == 0x4949 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            int directory = tiff.getInt(4);
            int entries = Short.toUnsignedInt(tiff.getShort(directory));
            for (int i = 0; i < entries; i++) {
                int entry = directory + 2 + 12 * i;
                if (Short.toUnsignedInt(tiff.getShort(entry)) == ORIENTATION_TAG) {
                    return tiff.getShort(entry + 2) == SHORT ? of(tiff.getShort(entry + 8)) : UPRIGHT;
                }
            }
            return UPRIGHT;
        } catch (RuntimeException damaged) { // underflow, or an offset out of bounds
            return UPRIGHT;
        }
    }

    /** EXIF's numbers: where the stored picture's first row and first column belong. */
    private static Orientation of(int tag) {
        return switch (tag) {
            case 2 -> new Orientation(false, true, false);
            case 3 -> new Orientation(false, true, true);
            case 4 -> new Orientation(false, false, true);
            case 5 -> new Orientation(true, false, false);
            case 6 -> new Orientation(true, true, false);
            case 7 -> new Orientation(true, true, true);
            case 8 -> new Orientation(true, false, true);
            default -> UPRIGHT;
        };
    }
}
