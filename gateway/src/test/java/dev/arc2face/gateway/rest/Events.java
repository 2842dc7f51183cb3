package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.v1.GenerateResponse;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Server-sent events as a listener reads them, by the rules of the HTML standard as far as they are used here. */
final class Events implements AutoCloseable {
    private final BufferedReader stream;
    private int comments;

    Events(InputStream stream) {
        this.stream = new BufferedReader(new InputStreamReader(stream, UTF_8));
    }

    /** One of them. */
    record Event(String id, String name, String data) {
        GenerateResponse message() {
            GenerateResponse message = Http.message(data, GenerateResponse.getDefaultInstance());
            assertThat(id).isEqualTo(Long.toString(message.getSequence()));
            return message;
        }
    }

    /** The next event; nothing at the end. */
    Optional<Event> next() {
        String id = "";
        String name = "";
        StringBuilder data = new StringBuilder();
        try {
            for (String line = stream.readLine(); line != null; line = stream.readLine()) {
                if (line.isEmpty() && !data.isEmpty()) {
                    return Optional.of(new Event(id, name, data.toString()));
                } else if (line.startsWith(":")) {
                    comments++;
                } else if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.startsWith("event: ")) {
                    name = line.substring(7);
                } else if (line.startsWith("data: ")) {
                    data.append(line.substring(6));
                } else {
                    assertThat(line).isEmpty();
                }
            }
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
        return Optional.empty();
    }

    List<Event> take(int count) {
        List<Event> events = upTo(count);
        assertThat(events).hasSize(count);
        return events;
    }

    List<Event> all() {
        return upTo(Integer.MAX_VALUE);
    }

    /** So many, or as many as there are. */
    List<Event> upTo(int count) {
        List<Event> events = new ArrayList<>();
        while (events.size() < count) {
            Optional<Event> event = next();
            if (event.isEmpty()) {
                break;
            }
            events.add(event.get());
        }
        return events;
    }

    /** All of a generation that ends well. */
    List<GenerateResponse> messages() {
        return all().stream().map(Event::message).toList();
    }

    /** Comments so far. */
    int comments() {
        return comments;
    }

    @Override
    public void close() {
        try {
            stream.close();
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
