package dev.arc2face.gateway.image;

import java.awt.color.CMMException;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * From a file's colours to sRGB: by its ICC profile where it has one that fits, else as if grey and RGB were sRGB
 * already and CMYK were ideal inks. Belongs to one thread.
 */
final class ColourConversion {
    private final int channels;
    private final @Nullable ColorConvertOp byProfile;

    private ColourConversion(int channels, @Nullable ColorConvertOp byProfile) {
        this.channels = channels;
        this.byProfile = byProfile;
    }

    /**
     * The conversion for a picture.
     *
     * @param channels as in {@link Samples#channels}
     * @param profile an ICC profile; one that is damaged or made for other colours is ignored
     */
    static ColourConversion of(int channels, byte @Nullable [] profile) {
        if (profile != null) {
            try {
                ICC_Profile from = ICC_Profile.getInstance(profile);
                if (from.getColorSpaceType() == colourSpace(channels)) {
                    ICC_Profile[] way = {from, ICC_Profile.getInstance(ColorSpace.CS_sRGB)};
                    ColourConversion conversion = new ColourConversion(channels, new ColorConvertOp(way, null));
                    conversion.toRgb(new byte[channels], new byte[3]);
                    return conversion;
                }
            } catch (CMMException | IllegalArgumentException unusable) {
                // as if there were none: a photo is not to be refused for its profile
            }
        }
        return new ColourConversion(channels, null);
    }

    /**
     * Converts one row.
     *
     * @param colours [width,channels]
     * @param rgb where the colours go, [width,3]
     */
    void toRgb(byte[] colours, byte[] rgb) {
        if (byProfile != null) {
            byProfile.filter(raster(colours, channels), raster(rgb, 3));
            return;
        }
        for (int x = 0; x < rgb.length / 3; x++) {
            for (int channel = 0; channel < 3; channel++) {
                rgb[3 * x + channel] = switch (channels) {
                    case 1 -> colours[x];
                    case 3 -> colours[3 * x + channel];
                    default -> withoutInk(colours[4 * x + channel], colours[4 * x + 3]);
                };
            }
        }
    }

    private static byte withoutInk(byte ink, byte black) {
        return (byte) (((255 - (ink & 0xff)) * (255 - (black & 0xff)) + 127) / 255);
    }

    private static WritableRaster raster(byte[] row, int channels) {
        int[] offsets = new int[channels];
        Arrays.setAll(offsets, channel -> channel);
        int width = row.length / channels;
        return Raster.createInterleavedRaster(
                new DataBufferByte(row, row.length), width, 1, row.length, channels, offsets, null);
    }

    private static int colourSpace(int channels) {
        return switch (channels) {
            case 1 -> ColorSpace.TYPE_GRAY;
            case 3 -> ColorSpace.TYPE_RGB;
            default -> ColorSpace.TYPE_CMYK;
        };
    }
}
