package dev.arc2face.gateway.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The pictures of {@code photos/make.py}, and what {@code docs/hostile-input.md} says becomes of each. */
public final class AwkwardPictures {
    private static final Path TABLE = Path.of("..", "docs", "hostile-input.md");
    private static final Pattern ROW =
            Pattern.compile("^\\| ((?:`[^`]+` )+)\\| .+ \\| `?([A-Z_]+|[0-9]+x[0-9]+)`? \\|$");
    private static final Pattern NAME = Pattern.compile("`([^`]+)`");

    private AwkwardPictures() {}

    /** By name: the size of the right picture, such as 27x18, or the reason of its refusal. */
    public static Map<String, String> outcomes() {
        Map<String, String> outcomes = new TreeMap<>();
        for (String line : lines()) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                Matcher name = NAME.matcher(row.group(1));
                while (name.find()) {
                    outcomes.put(name.group(1), row.group(2));
                }
            }
        }
        return outcomes;
    }

    public static byte[] file(String name) {
        return ExpectedPictures.file(name);
    }

    private static Iterable<String> lines() {
        try {
            return Files.readAllLines(TABLE);
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }
}
