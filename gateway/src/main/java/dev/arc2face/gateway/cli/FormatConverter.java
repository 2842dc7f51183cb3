package dev.arc2face.gateway.cli;

import dev.arc2face.v1.ImageFormat;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a picture format as people write it. */
final class FormatConverter implements ITypeConverter<ImageFormat> {
    @Override
    public ImageFormat convert(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "png" -> ImageFormat.IMAGE_FORMAT_PNG;
            case "jpeg", "jpg" -> ImageFormat.IMAGE_FORMAT_JPEG;
            default -> throw new TypeConversionException("'" + text + "' is neither png nor jpeg");
        };
    }
}
