package dev.arc2face.gateway.cli;

import dev.arc2face.v1.ImageFormat;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Picture formats as people write them. */
final class FormatConverter implements ITypeConverter<ImageFormat> {
    static String name(ImageFormat format) {
        return switch (format) {
            case IMAGE_FORMAT_JPEG -> "jpeg";
            case IMAGE_FORMAT_WEBP -> "webp";
            case IMAGE_FORMAT_PNG, IMAGE_FORMAT_UNSPECIFIED, UNRECOGNIZED -> "png";
        };
    }

    @Override
    public ImageFormat convert(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "png" -> ImageFormat.IMAGE_FORMAT_PNG;
            case "jpeg", "jpg" -> ImageFormat.IMAGE_FORMAT_JPEG;
            case "webp" -> ImageFormat.IMAGE_FORMAT_WEBP;
            default -> throw new TypeConversionException("'" + text + "' is none of png, jpeg, webp");
        };
    }
}
