package dev.arc2face.gateway.rest;

import io.vertx.core.buffer.Buffer;
import java.util.HashMap;
import java.util.Map;

/**
 * A whole response.
 *
 * @param status of HTTP
 * @param mediaType of the body, empty without one
 * @param headers beside those that every response has
 */
record Reply(int status, String mediaType, Buffer body, Map<String, String> headers) {
    static final String JSON = "application/json";

    static Reply json(int status, String json) {
        return new Reply(status, JSON, Buffer.buffer(json), Map.of());
    }

    static Reply of(Problem problem) {
        Map<String, String> headers = new HashMap<>();
        problem.retryAfterSeconds().ifPresent(seconds -> headers.put("Retry-After", Long.toString(seconds)));
        if (problem.status() == HttpStatus.UNAUTHORIZED) {
            headers.put("WWW-Authenticate", "Bearer"); // an API key has no scheme of its own
        }
        return new Reply(problem.status(), Problem.MEDIA_TYPE, Buffer.buffer(problem.json()), headers);
    }

    static Reply empty(int status) {
        return new Reply(status, "", Buffer.buffer(), Map.of());
    }

    Reply with(String header, String value) {
        return new Reply(status, mediaType, body, Map.of(header, value));
    }
}
