package dev.arc2face.gateway.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.arc2face.v1.GenerateResponse;
import java.nio.file.Path;
import java.util.Optional;

/** Protobuf's JSON, one message a line, picture bytes left out. */
final class Json {
    private static final JsonFormat.Printer PRINTER =
            JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

    private Json() {}

    static String line(MessageOrBuilder message) {
        try {
            return PRINTER.print(message);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a message of the API without Any cannot fail to print", e);
        }
    }

    /**
     * An event of a generation. A portrait or preview has {@code file} instead of its bytes.
     *
     * @param file where the event's picture was written, if it has one
     */
    static String event(GenerateResponse event, Optional<Path> file) {
        return switch (event.getEventCase()) {
            case IMAGE -> withFile(event, "image", "data", file);
            case PREVIEW -> withFile(event, "preview", "jpeg", file);
            default -> line(event);
        };
    }

    private static String withFile(GenerateResponse event, String picture, String bytes, Optional<Path> file) {
        GenerateResponse.Builder small = event.toBuilder();
        if (small.hasImage()) {
            small.getImageBuilder().clearData();
        } else {
            small.getPreviewBuilder().clearJpeg();
        }
        JsonObject json = JsonParser.parseString(line(small)).getAsJsonObject();
        JsonObject fields = json.getAsJsonObject(picture);
        fields.remove(bytes);
        file.ifPresent(path -> fields.addProperty("file", path.toString()));
        return json.toString();
    }
}
