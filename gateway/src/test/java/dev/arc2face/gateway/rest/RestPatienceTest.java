package dev.arc2face.gateway.rest;

import static dev.arc2face.gateway.Waiting.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.grpc.AdmissionTest;
import dev.arc2face.gateway.grpc.ConnectedTest;
import dev.arc2face.gateway.grpc.Gateway;
import dev.arc2face.gateway.triton.TritonResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Clients over HTTP that neither read nor write. */
@QuarkusTest
@TestProfile(AdmissionTest.Narrow.class)
@WithTestResource(TritonResource.class)
class RestPatienceTest extends ConnectedTest {
    private final Http http = new Http();

    @Test
    void readerThatReadsNothingIsCutOff() throws Exception {
        try (SlowListener reader = new SlowListener()) {
            String id = http.begin(Gateway.request(Gateway.somebody(1))
                    .setSteps(60)
                    .setNumImages(16)
                    .setPreviewEvery(1)
                    .setRequestId("stalled"));
            reader.listen(id);
            await().atMost(120, SECONDS)
                    .untilAsserted(() -> assertThat(Gateway.metrics())
                            .contains("arc2face_calls_total{code=\"RESOURCE_EXHAUSTED\",method=\"ListenToGeneration\","
                                    + "reason=\"CLIENT_TOO_SLOW\"}"));
            await().until(() -> http.get("/v1/generations/" + id).status() == 404);
        }
    }

    @Test
    void requestThatDoesNotComeIsRefused() throws IOException {
        for (String path : List.of("/v1/generations", "/v1/faces:detect")) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), Http.port())) {
                socket.getOutputStream()
                        .write(("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                        + "Content-Length: 100\r\n\r\n{")
                                .getBytes(UTF_8));
                String answer = new String(
                        socket.getInputStream().readAllBytes(), UTF_8); // which ends when the connection has been cut
                assertThat(answer).startsWith("HTTP/1.1 408 ");
                Http.Failed.of(answer.substring(answer.indexOf("\r\n\r\n") + 4), 408, ErrorReason.CLIENT_TOO_SLOW);
            }
        }
    }
}
