package dev.arc2face.gateway.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a uint32 of the API, 0 to 4294967295, into the int that protobuf keeps it in. */
final class UnsignedInt implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
        try {
            return Integer.parseUnsignedInt(text);
        } catch (NumberFormatException e) {
            throw new TypeConversionException("'" + text + "' is no whole number from 0 to 4294967295");
        }
    }
}
