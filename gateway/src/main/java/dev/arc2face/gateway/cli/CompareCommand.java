package dev.arc2face.gateway.cli;

import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.CompareFacesResponse;
import dev.arc2face.v1.FaceReport;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "compare",
        description = {
            "Compares two faces: the cosine of their embeddings, -1 to 1.",
            "A file whose name ends in .json is an embedding that `embed --out` wrote; any other is a photo."
        })
final class CompareCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "FIRST", description = "A photo or an embedding.")
    @SuppressWarnings("NullAway.Init")
    private Path first;

    @Parameters(index = "1", paramLabel = "SECOND", description = "A photo or an embedding.")
    @SuppressWarnings("NullAway.Init")
    private Path second;

    @Mixin
    private Connection connection = new Connection();

    @Option(names = "--json", description = "Print the server's answer as a line of JSON.")
    private boolean json;

    CompareCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        CompareFacesRequest request = CompareFacesRequest.newBuilder()
                .setFirst(Inputs.identity(first))
                .setSecond(Inputs.identity(second))
                .build();
        CompareFacesResponse answer = connection.call(server -> server.compareFaces(request));
        if (json) {
            terminal.out().println(Json.line(answer));
        } else {
            terminal.out().println(String.format(Locale.ROOT, "similarity %.3f", answer.getSimilarity()));
            show(first, answer.getFirstReport());
            show(second, answer.getSecondReport());
        }
        return ExitCode.OK.number();
    }

    private void show(Path file, FaceReport report) {
        terminal.out().println(file + ": " + (report.hasUsedIndex() ? FaceText.ofUsed(report) : "an embedding"));
    }
}
