package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.ConfigProvider;

/** The gateway under test as its callers over HTTP see it: the JDK's client, and protobuf's own JSON. */
final class Http {
    static final String JSON = "application/json";

    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final String BOUNDARY = "----a boundary 7f3d".replace(' ', '-');

    private final Map<String, String> credentials;

    Http() {
        this(Map.of());
    }

    /** @param credentials headers of every request */
    Http(Map<String, String> credentials) {
        this.credentials = credentials;
    }

    static int port() {
        return ConfigProvider.getConfig().getValue("quarkus.http.test-port", Integer.class);
    }

    HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path));
        credentials.forEach(request::header);
        return request;
    }

    static <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) {
        try {
            return CLIENT.send(request, handler);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(stopped);
        }
    }

    /**
     * What comes back for a request that no client would send.
     *
     * @param head its lines, each with its end
     */
    static String raw(String head) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            socket.getOutputStream().write((head + "Connection: close\r\n\r\n").getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    Response get(String path) {
        return of(request(path).build());
    }

    Response delete(String path) {
        return of(request(path).DELETE().build());
    }

    Response post(String path, Message message) {
        return post(path, JSON, json(message).getBytes(UTF_8));
    }

    Response post(String path, String type, byte[] body) {
        return post(path, type, BodyPublishers.ofByteArray(body));
    }

    Response post(String path, String type, BodyPublisher body) {
        return of(request(path).header("Content-Type", type).POST(body).build());
    }

    /** @param parts by their names, the request among them or not */
    Response form(String path, Map<String, byte[]> parts) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        parts.forEach((name, bytes) -> {
            body.writeBytes(("--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"" + name + "\""
                            + (name.equals("request") ? "" : "; filename=\"a.bin\"") + "\r\n\r\n")
                    .getBytes(UTF_8));
            body.writeBytes(bytes);
            body.writeBytes("\r\n".getBytes(UTF_8));
        });
        body.writeBytes(("--" + BOUNDARY + "--\r\n").getBytes(UTF_8));
        return post(path, formType(), body.toByteArray());
    }

    static String formType() {
        return "multipart/form-data; boundary=" + BOUNDARY;
    }

    Response of(HttpRequest request) {
        return new Response(send(request, BodyHandlers.ofByteArray()));
    }

    /** Begins a generation; its request id. */
    String begin(GenerateRequest.Builder request) {
        Response begun = post("/v1/generations", request.build()).is(202);
        String id = begun.event().getAccepted().getRequestId();
        assertThat(begun.header("Location")).isEqualTo("/v1/generations/" + id);
        return id;
    }

    /** Listens to a generation. */
    Events events(String id) {
        return events(id, "", "");
    }

    /**
     * Listens on.
     *
     * @param lastEventId of the last event that was seen, or empty
     * @param query of the address, with its question mark, or empty
     */
    Events events(String id, String lastEventId, String query) {
        HttpRequest.Builder request = request("/v1/generations/" + id + "/events" + query);
        if (!lastEventId.isEmpty()) {
            request.header("Last-Event-ID", lastEventId);
        }
        HttpResponse<InputStream> response = send(request.build(), BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
        assertThat(response.headers().firstValue("Cache-Control")).hasValue("no-store");
        assertThat(response.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        assertThat(response.headers().firstValue("Cross-Origin-Resource-Policy"))
                .isPresent();
        assertThat(response.headers().firstValue("X-Accel-Buffering")).hasValue("no");
        return new Events(response.body());
    }

    static String json(Message message) {
        try {
            return JsonFormat.printer().print(message);
        } catch (InvalidProtocolBufferException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @SuppressWarnings("unchecked") // the prototype is an M
    static <M extends Message> M message(String json, M prototype) {
        Message.Builder builder = prototype.newBuilderForType();
        try {
            JsonFormat.parser().merge(json, builder);
        } catch (InvalidProtocolBufferException broken) {
            throw new AssertionError(json, broken);
        }
        return (M) builder.build();
    }

    /** What came back. */
    record Response(HttpResponse<byte[]> http) {
        int status() {
            return http.statusCode();
        }

        byte[] body() {
            return http.body();
        }

        String text() {
            return new String(body(), UTF_8);
        }

        String header(String name) {
            return http.headers().firstValue(name).orElse("");
        }

        Response is(int status) {
            assertThat(status()).as(this::text).isEqualTo(status);
            return this;
        }

        <M extends Message> M message(M prototype) {
            return Http.message(text(), prototype);
        }

        GenerateResponse event() {
            return message(GenerateResponse.getDefaultInstance());
        }

        /** The problem that it must be, for that reason. */
        Failed failed(int status, ErrorReason reason) {
            is(status);
            assertThat(header("Content-Type")).isEqualTo("application/problem+json");
            return Failed.of(text(), status, reason);
        }
    }

    /** A problem of RFC 9457. */
    record Failed(JsonObject json) {
        static Failed of(String text, int status, ErrorReason reason) {
            JsonObject json = JsonParser.parseString(text).getAsJsonObject();
            assertThat(json.get("status").getAsInt()).isEqualTo(status);
            assertThat(json.get("reason").getAsString()).isEqualTo(reason.name());
            assertThat(json.get("type").getAsString()).endsWith("/" + reason.name());
            assertThat(json.get("title").getAsString()).isNotEmpty();
            assertThat(json.get("detail").getAsString()).isNotEmpty();
            assertThat(json.get("metadata").isJsonObject()).isTrue();
            return new Failed(json);
        }

        String detail() {
            return json.get("detail").getAsString();
        }

        String metadata(String key) {
            return json.getAsJsonObject("metadata").get(key).getAsString();
        }

        List<String> fields() {
            return json.getAsJsonArray("violations").asList().stream()
                    .map(violation -> violation.getAsJsonObject().get("field").getAsString())
                    .toList();
        }
    }
}
