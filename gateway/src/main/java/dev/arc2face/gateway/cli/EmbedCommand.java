package dev.arc2face.gateway.cli;

import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.EmbedFaceResponse;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.IdentitySource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "embed",
        description = {
            "Computes the identity embedding of a face.",
            "Several photos are of one person, and averaged; one that shows somebody else is left out.",
            "An embedding identifies a person: keep its file as you would keep the photo."
        })
final class EmbedCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(
            paramLabel = "PHOTO",
            arity = "1..*",
            description = "JPEG, PNG or WebP, at most 16 MiB; several together at most 17.")
    private List<Path> photos = new ArrayList<>();

    @Option(
            names = "--face-index",
            paramLabel = "N",
            converter = UnsignedInt.class,
            description = "Which of the photo's faces, as `detect` counts them (default: the largest).")
    private @Nullable Integer faceIndex;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "Write the embedding as JSON, for `generate --embedding` and `compare`.")
    private @Nullable Path out;

    @Mixin
    private Connection connection = new Connection();

    @Option(names = "--json", description = "Print the server's answer, embedding included, as a line of JSON.")
    private boolean json;

    EmbedCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        IdentitySource identity = Inputs.person(photos, faceIndex);
        EmbedFaceResponse answer = connection.call(server -> server.embedFace(
                EmbedFaceRequest.newBuilder().setIdentity(identity).build()));
        if (json) {
            terminal.out().println(Json.line(answer));
        } else {
            terminal.out()
                    .println(FaceText.of(answer.getFaceReport(), photos) + ": "
                            + answer.getEmbedding().getValuesCount() + " values of "
                            + answer.getEmbedding().getRecogniserId());
        }
        if (out != null) {
            write(answer.getEmbedding(), out);
            if (!json) {
                terminal.out().println(out);
            }
        }
        return ExitCode.OK.number();
    }

    private static void write(Embedding embedding, Path file) {
        try {
            Files.writeString(file, Json.line(embedding) + "\n");
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.OTHER, "cannot write " + file + ": " + e.getMessage());
        }
    }
}
