package dev.arc2face.gateway.rest;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.ErrorReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collector;
import org.junit.jupiter.api.Test;

/** The tables of docs/rest.md say what the code says. */
class RestDocumentationTest {
    private final List<String> document = Files.readAllLines(Path.of("..", "docs", "rest.md"));

    RestDocumentationTest() throws IOException {}

    @Test
    void everyReasonHasItsDocumentedStatus() {
        assertThat(document)
                .containsSequence(Arrays.stream(ErrorReason.values())
                        .collect(groupingBy(HttpStatus::of, TreeMap::new, joiningReasons()))
                        .entrySet()
                        .stream()
                        .map(status -> "| " + status.getKey() + " | " + status.getValue() + " |")
                        .toList());
    }

    private static Collector<ErrorReason, ?, String> joiningReasons() {
        return mapping(reason -> "`" + reason + "`", joining(", "));
    }

    @Test
    void everyRouteIsThere() {
        assertThat(document.stream()
                        .filter(line -> line.startsWith("| `GET /v1")
                                || line.startsWith("| `POST /v1")
                                || line.startsWith("| `DELETE /v1"))
                        .map(line -> line.split("`", -1)[1]))
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(Endpoint.values())
                        .map(endpoint -> endpoint.method() + " " + endpoint.path())
                        .toList());
    }
}
