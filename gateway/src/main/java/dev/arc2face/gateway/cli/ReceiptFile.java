package dev.arc2face.gateway.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.arc2face.v1.Receipt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Receipts as files: protobuf's JSON, which loses nothing of them. */
final class ReceiptFile {
    private ReceiptFile() {}

    static void write(Receipt receipt, Path file) {
        try {
            Files.writeString(file, JsonFormat.printer().print(receipt) + "\n");
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a message of the API without Any cannot fail to print", e);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.OTHER, "cannot write " + file + ": " + e.getMessage());
        }
    }

    /** A field that this client does not know is refused: nobody can say what it means for the rest. */
    static Receipt read(Path file) {
        Receipt.Builder receipt = Receipt.newBuilder();
        try {
            JsonFormat.parser().merge(new String(Inputs.read(file), StandardCharsets.UTF_8), receipt);
        } catch (InvalidProtocolBufferException e) {
            throw new CommandFailure(
                    ExitCode.BAD_INPUT,
                    file + " is no receipt, or one of a later version; `generate` writes one: "
                            + Inputs.firstLine(e.getMessage()));
        }
        return receipt.build();
    }
}
