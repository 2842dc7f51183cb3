package dev.arc2face.gateway.rest;

import static dev.arc2face.gateway.Waiting.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.grpc.ConnectedTest;
import dev.arc2face.gateway.grpc.Gateway;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.OnDisconnect;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Slow listeners, absent ones, and many at once. */
@QuarkusTest
@TestProfile(RestLimitsTest.Impatient.class)
@WithTestResource(TritonResource.class)
class RestLimitsTest extends ConnectedTest {
    private static final int CLIENTS = 100;

    private final Http http = new Http();

    /** A gateway with room for a hundred, and little patience. */
    public static final class Impatient implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "arc2face.limits.max-running", "4",
                    "arc2face.limits.max-queued", "200",
                    "arc2face.limits.max-queued-bytes", "1M",
                    "arc2face.limits.max-request-bytes", "1M",
                    "arc2face.rest.listener-grace", "PT5S",
                    "arc2face.rest.heartbeat", "PT0.2S",
                    "quarkus.http.cors.enabled", "true",
                    "quarkus.http.cors.origins", "https://page.example",
                    "quarkus.http.cors.exposed-headers", "Location,Retry-After");
        }
    }

    @Test
    void hundredListenersGetTheirOwnEach() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            List<Callable<List<GenerateResponse>>> calls = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                GenerateRequest.Builder request = request(2)
                        .setSeed(1000 + i)
                        .setRequestId("one-of-many-" + i)
                        .setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
                calls.add(() -> http.events(http.begin(request)).messages());
            }
            List<Future<List<GenerateResponse>>> results = clients.invokeAll(calls);
            Set<Object> portraits = new HashSet<>();
            for (int i = 0; i < CLIENTS; i++) {
                List<GenerateResponse> events = results.get(i).get();
                assertThat(events.get(0).getAccepted().getSeedsList()).containsExactly(1000 + i);
                assertThat(events.get(events.size() - 1).hasCompleted()).isTrue();
                assertThat(Gateway.images(events))
                        .hasSize(1)
                        .allSatisfy(image -> assertThat(image.getSeed()).isBetween(1000, 1000 + CLIENTS - 1));
                assertThat(Gateway.images(events).get(0).getSeed()).isEqualTo(1000 + i);
                portraits.add(Gateway.images(events).get(0).getData());
            }
            assertThat(portraits).hasSize(CLIENTS);
        } finally {
            clients.shutdownNow();
        }
    }

    @Test
    void generationThatNobodyListensToEnds() {
        String id = http.begin(request(100).setNumImages(16).setRequestId("unheard"));
        assertThat(http.get("/v1/generations/" + id).status()).isEqualTo(200);
        await().until(() -> http.get("/v1/generations/" + id).status() == 404);
    }

    @Test
    void silenceHasComments() {
        // Sixteen portraits are drawn in steps of longer than a heartbeat; those that wait are told nothing.
        List<String> running = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            running.add(http.begin(request(100)
                    .setNumImages(16)
                    .setPreviewEvery(0)
                    .setRequestId("busy-" + i)
                    .setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH)));
        }
        String waiting = http.begin(request(2).setRequestId("waits"));
        try (Events events = http.events(waiting)) {
            Thread interrupter = new Thread(() -> {
                await().until(() -> events.comments() >= 3);
                running.forEach(id -> http.delete("/v1/generations/" + id));
            });
            interrupter.start();
            List<GenerateResponse> messages = events.messages();
            assertThat(messages.get(messages.size() - 1).hasCompleted()).isTrue();
            assertThat(events.comments()).isGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void slowReaderIsWaitedForAndLosesPreviewsAlone() throws Exception {
        try (SlowListener reader = new SlowListener()) {
            GenerateRequest.Builder request = request(30).setNumImages(8).setPreviewEvery(1);
            String id =
                    http.begin(request.clone().setRequestId("slow").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH));
            reader.listen(id);
            await().atMost(120, SECONDS).pollInterval(1, SECONDS).until(() -> {
                reader.read();
                return http.get("/v1/generations/" + id).event().hasCompleted();
            });
            List<GenerateResponse> events = reader.readAll();
            assertThat(Gateway.images(events)).hasSize(8);
            assertThat(events.get(events.size() - 1).hasCompleted()).isTrue();
            assertThat(events.stream().filter(GenerateResponse::hasPreview).count())
                    .isLessThan(8 * 30);
        }
    }

    @Test
    void bodiesThatComeInAreBoundedTogether() throws IOException {
        byte[] body = new byte[1 << 20]; // of which there is room for one and a half
        List<Socket> senders = List.of(sends(body), sends(body));
        try {
            await().until(() -> senders.stream().anyMatch(RestLimitsTest::isAnswered));
            Socket refused = senders.stream()
                    .filter(RestLimitsTest::isAnswered)
                    .findFirst()
                    .orElseThrow();
            assertThat(answer(refused, ErrorReason.QUEUE_FULL.name()))
                    .startsWith("HTTP/1.1 503 ")
                    .containsPattern("(?i)\\r\\nretry-after: [1-9]");
            http.get("/v1/model").is(200);
            assertThat(senders).anyMatch(sender -> !isAnswered(sender)); // it has the room
        } finally {
            for (Socket sender : senders) {
                sender.close();
            }
        }
        await().until(() -> detect(body).status() == 400); // it is no JSON
        detect(body).failed(400, ErrorReason.INVALID_REQUEST); // nor does one that is read keep its room
    }

    /** A request that never ends: its head promises one byte more than there are. */
    private static Socket sends(byte[] body) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), Http.port());
        String head = "POST /v1/faces:detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        socket.getOutputStream().write((head + "Content-Length: " + (body.length + 1) + "\r\n\r\n").getBytes(UTF_8));
        socket.getOutputStream().write(body);
        return socket;
    }

    /** What has come up to a word that has to. */
    private static String answer(Socket socket, String word) {
        StringBuilder answer = new StringBuilder();
        await().until(() -> {
            InputStream input = socket.getInputStream();
            answer.append(new String(input.readNBytes(input.available()), UTF_8));
            return answer.indexOf(word) >= 0;
        });
        return answer.toString();
    }

    private static boolean isAnswered(Socket socket) {
        try {
            return socket.getInputStream().available() > 0;
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private Http.Response detect(byte[] body) {
        return http.post("/v1/faces:detect", Http.JSON, body);
    }

    @Test
    void pagesOfChosenSitesMayCall() {
        Http.Response allowed = http.of(http.request("/v1/model")
                .header("Origin", "https://page.example")
                .build());
        assertThat(allowed.is(200).header("Access-Control-Allow-Origin")).isEqualTo("https://page.example");
        assertThat(allowed.header("Access-Control-Expose-Headers")).contains("Location");
        assertThat(allowed.header("Cross-Origin-Resource-Policy")).isEqualTo("cross-origin"); // for an <img>
        http.of(http.request("/v1/model")
                        .header("Origin", "https://elsewhere.example")
                        .build())
                .is(403);
    }

    private static GenerateRequest.Builder request(int steps) {
        return Gateway.request(Gateway.somebody(1)).setSteps(steps).setSeed(3);
    }
}
