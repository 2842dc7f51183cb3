package dev.arc2face.gateway.cli;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** What a command's exit code says. A script may rely on these; docs/cli.md lists them. */
enum ExitCode {
    OK(0, "done"),
    OTHER(1, "something else went wrong, on the server or here"),
    USAGE(2, "the command line is wrong"),
    BAD_INPUT(3, "the server or this client refuses the input: the photo, the embedding or an option's value"),
    UNAVAILABLE(4, "no server answers, or its model server is away"),
    DEADLINE(5, "the deadline passed, or could not be met"),
    BUSY(6, "all places of the server are taken, or a quota is used up; try again later"),
    FORBIDDEN(7, "the server does not know who calls, or the caller may not do that"),
    MISMATCH(8, "a picture or a receipt was changed, they do not belong together, or pictures made again are others"),
    INTERRUPTED(130, "interrupted, by ctrl-C for example; the call was cancelled");

    private final int number;
    private final String meaning;

    ExitCode(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    int number() {
        return number;
    }

    String meaning() {
        return meaning;
    }

    /** Number to meaning, in order, as picocli's help wants it. */
    static Map<String, String> table() {
        return Arrays.stream(values())
                .collect(Collectors.toMap(
                        code -> Integer.toString(code.number), ExitCode::meaning, (a, b) -> a, LinkedHashMap::new));
    }
}
