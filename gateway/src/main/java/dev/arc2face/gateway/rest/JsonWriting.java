package dev.arc2face.gateway.rest;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.arc2face.v1.GenerateResponse;

/** Protobuf's JSON, one message a line. Fields are there with their default value, too: a list although it is empty. */
final class JsonWriting {
    private static final JsonFormat.Printer PRINTER =
            JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

    private JsonWriting() {}

    static String line(MessageOrBuilder message) {
        try {
            return PRINTER.print(message);
        } catch (InvalidProtocolBufferException impossible) {
            throw new IllegalStateException("a message of the API without Any cannot fail to print", impossible);
        }
    }

    /** The event without the bytes of a finished portrait, which have an address of their own. */
    static GenerateResponse withoutImageData(GenerateResponse event) {
        if (!event.hasImage()) {
            return event;
        }
        GenerateResponse.Builder small = event.toBuilder();
        small.getImageBuilder().clearData();
        return small.build();
    }
}
