package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.grpc.ConnectedTest;
import dev.arc2face.gateway.grpc.Gateway;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.GenerateRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every request that cannot be served gets a problem that says why. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class RestRefusalsTest extends ConnectedTest {
    private static final String SOMEBODY = Http.json(Gateway.somebody(1));

    private final Http http = new Http();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/",
                "/v1/generation",
                "/v1/faces",
                "/v1/generations/a%20b",
                "/v1/generations/a/images/x",
                "/v1/generations/a/images/4294967296"
            })
    void pathThatIsNone(String path) {
        http.get(path).failed(404, ErrorReason.UNIMPLEMENTED);
    }

    @Test
    void methodThatThePathDoesNotTake() {
        Http.Response refused = http.get("/v1/generations");
        refused.failed(405, ErrorReason.UNIMPLEMENTED);
        assertThat(refused.header("Allow")).isEqualTo("POST");
        assertThat(http.post("/v1/generations/a", Http.JSON, new byte[0]).header("Allow"))
                .isEqualTo("GET, DELETE");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/model,text/html",
        "/v1/model,application/json;q=0",
        "/v1/generations/a/events,application/json",
        "/v1/generations/a/images/0,application/json"
    })
    void answerThatNobodyWants(String path, String accept) {
        http.of(http.request(path).header("Accept", accept).build()).failed(406, ErrorReason.INVALID_REQUEST);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "image/png", "application/protobuf"})
    void bodyOfAnotherType(String type) {
        Http.Response refused = http.post("/v1/faces:detect", type, new byte[] {1});
        refused.failed(415, ErrorReason.INVALID_REQUEST);
        assertThat(refused.header("Accept")).isEqualTo("application/json, multipart/form-data");
    }

    @Test
    void compressedBody() {
        http.of(http.request("/v1/faces:detect")
                        .header("Content-Type", Http.JSON)
                        .header("Content-Encoding", "gzip")
                        .POST(BodyPublishers.ofByteArray(new byte[] {1}))
                        .build())
                .failed(415, ErrorReason.INVALID_REQUEST);
    }

    @Test
    void bodyThatIsTooLarge() {
        byte[] large = new byte[40 << 20];
        assertThat(http.post("/v1/faces:detect", Http.JSON, large)
                        .failed(413, ErrorReason.MESSAGE_TOO_LARGE)
                        .metadata("limit"))
                .isEqualTo(Integer.toString((17 << 20) * 4 / 3 + (64 << 10)));
        http.post( // which does not say how large it is
                        "/v1/faces:detect",
                        Http.JSON,
                        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(large)))
                .failed(413, ErrorReason.MESSAGE_TOO_LARGE);
        http.form("/v1/faces:detect", Map.of("photo", new byte[18 << 20])).failed(413, ErrorReason.MESSAGE_TOO_LARGE);
    }

    static Stream<Arguments> wrongJson() {
        String nested = "{\"identity\":" + "{\"interpolation\":{\"first\":".repeat(200) + "{}" + "}}".repeat(200) + "}";
        String crowd =
                "{\"identity\":{\"average\":{\"sources\":[" + String.join(",", Collections.nCopies(300, "{}")) + "]}}}";
        return Stream.of(
                Arguments.of("", ""),
                Arguments.of("{", ""),
                Arguments.of("[]", ""),
                Arguments.of("nonsense", ""),
                Arguments.of("{} {}", ""),
                Arguments.of("{'steps':1}", ""),
                Arguments.of("{\"step\":1}", "step"),
                Arguments.of("{\"identity\":{\"embedding\":{\"vector\":[1]}}}", "identity.embedding.vector"),
                Arguments.of("{\"" + "a b".repeat(9) + "\":1}", "(a name)"),
                Arguments.of("{\"steps\":1,\"steps\":2}", "steps"),
                Arguments.of("{\"numImages\":1,\"num_images\":2}", "numImages"),
                Arguments.of("{\"steps\":\"many\"}", "steps"),
                Arguments.of("{\"steps\":1.5}", "steps"),
                Arguments.of("{\"steps\":-1}", "steps"),
                Arguments.of("{\"steps\":1e99}", "steps"),
                Arguments.of("{\"steps\":[1]}", "steps"),
                Arguments.of("{\"guidanceScale\":1e39}", "guidanceScale"),
                Arguments.of("{\"reproducible\":1}", "reproducible"),
                Arguments.of("{\"outputFormat\":\"GIF\"}", "outputFormat"),
                Arguments.of("{\"afterSequence\":\"18446744073709551616\"}", "afterSequence"),
                Arguments.of("{\"identity\":{\"photo\":\"?\"}}", "identity.photo"),
                Arguments.of("{\"identity\":{\"photo\":\"AAAA\",\"embedding\":{}}}", "identity.embedding"),
                Arguments.of("{\"identity\":{\"average\":{\"sources\":{}}}}", "identity.average.sources"),
                Arguments.of("{\"identity\":{\"embedding\":{\"values\":[1,true]}}}", "identity.embedding.values[1]"),
                Arguments.of(nested, ""),
                Arguments.of(crowd, ""),
                // What the proto forbids, by the names of JSON.
                Arguments.of("{\"identity\":" + SOMEBODY + ",\"numImages\":17}", "numImages"),
                Arguments.of("{\"identity\":{\"alignedFace\":{\"rgb\":\"AAAA\"}}}", "identity.alignedFace.rgb"),
                Arguments.of("{\"identity\":{}}", "identity.source"));
    }

    @ParameterizedTest
    @MethodSource("wrongJson")
    void requestThatIsWrong(String json, String field) {
        Http.Failed failed =
                http.post("/v1/generations", Http.JSON, json.getBytes(UTF_8)).failed(400, ErrorReason.INVALID_REQUEST);
        assertThat(failed.fields()).containsExactly(field);
    }

    static Stream<Arguments> wrongForms() {
        byte[] one = {1};
        byte[] request = "{}".getBytes(UTF_8);
        return Stream.of(
                Arguments.of(Map.of("identity.photograph", one), "identity.photograph"),
                Arguments.of(Map.of("identity", one), "identity"),
                Arguments.of(Map.of("steps", one), "steps"),
                Arguments.of(Map.of("identity.photo[0]", one), "identity.photo[0]"),
                Arguments.of(Map.of("identity.average.sources.photo", one), "identity.average.sources.photo"),
                Arguments.of(Map.of("what is this?", one), "(a name)"),
                Arguments.of(
                        Map.of("request", "{\"identity\":{\"photo\":\"AAAA\"}}".getBytes(UTF_8), "identity.photo", one),
                        "identity.photo"),
                Arguments.of(
                        Map.of("request", ("{\"identity\":" + SOMEBODY + "}").getBytes(UTF_8), "identity.photo", one),
                        "identity.photo"),
                Arguments.of(Map.of("request", one), ""),
                Arguments.of(Map.of("request", request), "identity"),
                Arguments.of(IntStream.range(0, 80).boxed().collect(Collectors.toMap(i -> "part" + i, i -> one)), ""));
    }

    @ParameterizedTest
    @MethodSource("wrongForms")
    void formThatIsWrong(Map<String, byte[]> parts, String field) {
        assertThat(http.form("/v1/generations", parts)
                        .failed(400, ErrorReason.INVALID_REQUEST)
                        .fields())
                .containsExactly(field);
    }

    @Test
    void formThatIsNone() {
        for (String type : new String[] {
            "multipart/form-data",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=",
            Http.formType() + "; charset=zzz",
            Http.formType()
        }) {
            http.post("/v1/faces:detect", type, "--what\r\nis this".getBytes(UTF_8))
                    .failed(400, ErrorReason.INVALID_REQUEST);
        }
    }

    @Test
    void failureOfTheServiceIsOneOfHttp() {
        http.post("/v1/faces:embed", embed("AAAA")).failed(400, ErrorReason.UNSUPPORTED_IMAGE_FORMAT);
        Http.Failed none = http.post(
                        "/v1/generations",
                        GenerateRequest.newBuilder()
                                .setIdentity(Gateway.somebody(1))
                                .setScheduler("none")
                                .build())
                .failed(400, ErrorReason.UNKNOWN_SCHEDULER);
        assertThat(none.fields()).containsExactly("scheduler");
        assertThat(none.metadata("known")).contains("ddim");
        http.post(
                        "/v1/faces:embed",
                        EmbedFaceRequest.newBuilder()
                                .setIdentity(Gateway.somebody(1).toBuilder()
                                        .setEmbedding(Gateway.somebody(1).getEmbedding().toBuilder()
                                                .setRecogniserId("another")))
                                .build())
                .failed(400, ErrorReason.EMBEDDING_MODEL_MISMATCH);
    }

    @ParameterizedTest
    @CsvSource({"imageData,perhaps,imageData", "afterSequence,first,afterSequence", "afterSequence,-1,afterSequence"})
    void wrongQuery(String name, String value, String field) {
        assertThat(http.get("/v1/generations/a/events?" + name + "=" + value)
                        .failed(400, ErrorReason.INVALID_REQUEST)
                        .fields())
                .containsExactly(field);
    }

    @Test
    void wrongLastEventId() {
        assertThat(http.of(http.request("/v1/generations/a/events")
                                .header("Last-Event-ID", "x")
                                .build())
                        .failed(400, ErrorReason.INVALID_REQUEST)
                        .fields())
                .containsExactly("Last-Event-ID");
    }

    @ParameterizedTest
    @CsvSource({
        "localhost,200",
        "LocalHost:8080,200",
        "127.0.0.1:8080,200",
        "192.168.7.7,200",
        "[::1]:8080,200",
        "rebound.example:8080,403",
        "rebound_too.example,403",
        "127.0.0.1.rebound.example,403",
        "localhost.rebound.example,403",
        "rebound.example.,403"
    })
    void gatewayThatAsksNobodyIsAtNoNameThatOthersGiveIt(String host, int status) {
        String answer = Http.raw("GET /v1/model HTTP/1.1\r\nHost: " + host + "\r\n");
        assertThat(answer).startsWith("HTTP/1.1 " + status + " ");
        if (status == 403) {
            assertThat(answer).contains("\"PERMISSION_DENIED\"", "arc2face.security.allow-anonymous");
        }
    }

    @Test
    void pagesOfOtherSitesMayNotCall() {
        Map<String, Integer> origins = new HashMap<>(Map.of("https://elsewhere.example", 403, "null", 403));
        origins.put("http://127.0.0.1:" + Http.port(), 200);
        origins.forEach((origin, status) -> {
            Http.Response response =
                    http.of(http.request("/v1/model").header("Origin", origin).build());
            assertThat(response.is(status).header("Access-Control-Allow-Origin"))
                    .isEmpty();
        });
        // What the browser itself says counts more: a proxy may have changed the host.
        Map.of("same-origin", 200, "none", 200, "same-site", 403, "cross-site", 403)
                .forEach((site, status) -> http.of(http.request("/v1/model")
                                .header("Origin", "https://page.example")
                                .header("Sec-Fetch-Site", site)
                                .build())
                        .is(status));
    }

    private static EmbedFaceRequest embed(String photo) {
        return EmbedFaceRequest.newBuilder()
                .setIdentity(Gateway.photo(ByteString.copyFromUtf8(photo)))
                .build();
    }
}
