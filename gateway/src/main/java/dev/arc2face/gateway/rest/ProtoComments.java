package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the proto says in words of its messages, fields and values: the comments above them, which compiled descriptors
 * do not have. It reads the form that {@code buf format} gives; a test finds what it misses.
 */
final class ProtoComments {
    private static final Pattern SCOPE = Pattern.compile("(message|enum|service|oneof) (\\w+) \\{.*");
    private static final Pattern MEMBER = Pattern.compile("(?:(?:optional |repeated )?[\\w.]+ )?(\\w+) = \\d+.*");

    /** @param depth of braces inside which it is */
    private record Scope(String name, int depth) {}

    private final Map<String, String> comments = new HashMap<>();

    /** @param resource of the class path */
    ProtoComments(String resource) {
        Deque<Scope> scopes = new ArrayDeque<>();
        StringBuilder comment = new StringBuilder();
        int depth = 0;
        for (String line : (Iterable<String>) text(resource).lines().map(String::strip)::iterator) {
            if (line.startsWith("//")) {
                comment.append(comment.isEmpty() ? "" : " ")
                        .append(line.substring(2).strip());
                continue;
            }
            Matcher scope = SCOPE.matcher(line);
            Matcher member = MEMBER.matcher(line);
            if (scope.matches()) {
                String name = scope.group(1).equals("oneof") ? scopes.element().name() : scope.group(2);
                if (!scope.group(1).equals("oneof")) {
                    comments.put(name, comment.toString());
                }
                scopes.push(new Scope(name, depth + 1));
            } else if (!scopes.isEmpty() && depth == scopes.element().depth() && member.matches()) {
                comments.put(scopes.element().name() + "." + member.group(1), comment.toString());
            }
            comment.setLength(0);
            depth += count(line, '{') - count(line, '}');
            while (!scopes.isEmpty() && depth < scopes.element().depth()) {
                scopes.pop();
            }
        }
    }

    /** @param name of a message or an enum, or of what is in it: {@code GenerateRequest.steps} */
    String of(String name) {
        return comments.getOrDefault(name, "");
    }

    private static int count(String line, char brace) {
        return (int) line.chars().filter(c -> c == brace).count();
    }

    private static String text(String resource) {
        try (InputStream stream = ProtoComments.class.getClassLoader().getResourceAsStream(resource)) {
            if (stream == null) {
                throw new IllegalStateException("not on the class path: " + resource);
            }
            return new String(stream.readAllBytes(), UTF_8);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
