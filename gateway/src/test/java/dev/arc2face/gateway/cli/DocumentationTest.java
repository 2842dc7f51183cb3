package dev.arc2face.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.ErrorReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tables of docs/ say what the code and the proto say. */
class DocumentationTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern VALUE = Pattern.compile("ERROR_REASON_(\\w+) = (\\d+);");

    private static List<String> tableRows(String file, String heading) throws IOException {
        return Files.readAllLines(ROOT.resolve(file)).stream()
                .dropWhile(line -> !line.equals(heading))
                .skip(1)
                .takeWhile(line -> !line.startsWith("## "))
                .filter(line -> line.startsWith("| "))
                .skip(1) // the table's head; the line below it starts with |-
                .toList();
    }

    /** The rows that errors.proto asks for: reason, code, and its comment without the code. */
    private static List<String> errorRows() throws IOException {
        List<String> rows = new ArrayList<>();
        List<String> comment = new ArrayList<>();
        for (String line : Files.readAllLines(ROOT.resolve("proto/arc2face/v1/errors.proto"))) {
            String text = line.strip();
            Matcher value = VALUE.matcher(text);
            if (value.matches() && !value.group(2).equals("0")) {
                ErrorReason reason = ErrorReason.valueOf(value.group(1));
                String meaning = String.join(" ", comment);
                assertThat(meaning).startsWith(reason.code().name());
                rows.add("| `%s` | `%s` | %s |"
                        .formatted(reason, reason.code(), meaning.substring(meaning.indexOf(". ") + 2)));
            }
            if (text.startsWith("//")) {
                comment.add(text.substring(2).strip());
            } else {
                comment.clear();
            }
        }
        return rows;
    }

    @Test
    void theTableOfErrorsIsThatOfTheProto() throws IOException {
        assertThat(errorRows()).hasSameSizeAs(ErrorReason.values());
        assertThat(tableRows("docs/api.md", "## Errors")).isEqualTo(errorRows());
    }

    @Test
    void theTableOfExitCodesIsThatOfTheClient() throws IOException {
        assertThat(tableRows("docs/cli.md", "## Exit codes"))
                .isEqualTo(Arrays.stream(ExitCode.values())
                        .map(code -> "| " + code.number() + " | " + code.meaning() + " |")
                        .toList());
    }

    @Test
    void everyLinkBetweenDocumentsLeadsSomewhere() throws IOException {
        Pattern link = Pattern.compile("\\]\\(([^)#:]+)\\)");
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            List<Path> documents = Stream.concat(
                            Stream.of(ROOT.resolve("README.md"), ROOT.resolve("CHANGELOG.md")),
                            docs.filter(file -> file.toString().endsWith(".md")))
                    .toList();
            for (Path document : documents) {
                link.matcher(Files.readString(document))
                        .results()
                        .map(match -> document.resolveSibling(match.group(1)))
                        .filter(target -> !target.endsWith("sample-contact-sheet.png")) // drawn by `make run`
                        .forEach(target ->
                                assertThat(target).as("in %s", document).exists());
            }
        }
    }
}
