package dev.arc2face.gateway.rest;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.grpc.ConnectedTest;
import dev.arc2face.gateway.grpc.Gateway;
import dev.arc2face.gateway.grpc.SecuredTest;
import dev.arc2face.gateway.security.AuditLog;
import dev.arc2face.gateway.security.Credentials;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.OnDisconnect;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** A gateway that asks who calls asks so over HTTP as well. */
@QuarkusTest
@TestProfile(SecuredTest.Asking.class)
@WithTestResource(TritonResource.class)
class SecuredRestTest extends ConnectedTest {
    private final Http alice = new Http(Map.of("x-api-key", SecuredTest.ALICE));
    private final Http bob = new Http(Map.of("x-api-key", SecuredTest.BOB));
    private final Http eve = new Http(Map.of("x-api-key", SecuredTest.EVE));

    @Test
    void nobodyGetsInWithoutCredentials() {
        Http nobody = new Http();
        for (Http.Response refused : List.of(
                nobody.get("/v1/model"),
                nobody.get("/v1/generations/a"),
                nobody.get("/v1/generations/a/events"),
                nobody.get("/v1/generations/a/images/0"),
                nobody.delete("/v1/generations/a"),
                nobody.post("/v1/generations", request().build()),
                nobody.post("/v1/faces:detect", photo()),
                nobody.post("/v1/faces:embed", request().build()),
                nobody.post("/v1/faces:compare", request().build()))) {
            refused.failed(401, ErrorReason.UNAUTHENTICATED);
            assertThat(refused.header("WWW-Authenticate")).isEqualTo("Bearer");
        }
        new Http(Map.of("x-api-key", "wrong")).get("/v1/model").failed(401, ErrorReason.UNAUTHENTICATED);
        new Http(Map.of("authorization", "Bearer wrong")).get("/v1/model").failed(401, ErrorReason.UNAUTHENTICATED);
    }

    @Test
    void gatewayThatAsksMayHaveAnyName() {
        String head = "GET /v1/model HTTP/1.1\r\nHost: faces.example\r\nx-api-key: " + SecuredTest.ALICE + "\r\n";
        assertThat(Http.raw(head)).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void callerMayDoWhatItsRolesAllow() {
        assertThat(bob.post("/v1/faces:detect", photo())
                        .failed(403, ErrorReason.PERMISSION_DENIED)
                        .metadata("role"))
                .isEqualTo("embed");
        eve.post("/v1/faces:detect", photo()).is(200);
        eve.post("/v1/generations", request().build()).failed(403, ErrorReason.PERMISSION_DENIED);
        eve.get("/v1/generations/a/events").failed(403, ErrorReason.PERMISSION_DENIED);
        eve.get("/v1/generations/a").failed(403, ErrorReason.PERMISSION_DENIED);
        eve.get("/v1/generations/a/images/0").failed(403, ErrorReason.PERMISSION_DENIED);
        eve.get("/v1/model").is(200);
    }

    @Test
    void generationOfAnotherCallerIsNotThere() {
        String id =
                alice.begin(request().setRequestId("alices-own").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH));
        alice.events(id).messages();
        for (String other : List.of(id, "nobodys")) {
            for (Http.Response refused : List.of(
                    bob.get("/v1/generations/" + other),
                    bob.get("/v1/generations/" + other + "/events"),
                    bob.get("/v1/generations/" + other + "/images/0"),
                    bob.delete("/v1/generations/" + other))) {
                refused.failed(404, ErrorReason.GENERATION_NOT_FOUND);
            }
        }
        assertThat(bob.get("/v1/generations/" + id).text())
                .isEqualTo(bob.get("/v1/generations/nobodys").text());
        alice.get("/v1/generations/" + id + "/images/0").is(200);
        assertThat(gatewayOf(SecuredTest.ALICE, id)).isNotEmpty();
        alice.delete("/v1/generations/" + id).is(200);
    }

    /** The portraits that gRPC tells the same caller of. */
    private List<?> gatewayOf(String key, String id) {
        List<Object> events = new CopyOnWriteArrayList<>();
        gateway.service()
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(Credentials.key(key)))
                .generate(request()
                        .setRequestId(id)
                        .setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH)
                        .build())
                .forEachRemaining(events::add);
        return events;
    }

    @Test
    void quotaIsThatOfAllTransportsTogether() {
        GenerateRequest.Builder longest = request().setSteps(15).setNumImages(16);
        List<String> running = List.of(
                bob.begin(longest.clone().setRequestId("bob-1").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH)),
                bob.begin(longest.clone().setRequestId("bob-2").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH)));
        Http.Response refused = bob.post("/v1/generations", request().build());
        assertThat(refused.failed(429, ErrorReason.QUOTA_EXCEEDED).metadata("quota"))
                .isEqualTo("generations-per-caller");
        assertThat(Integer.parseInt(refused.header("Retry-After"))).isPositive();
        running.forEach(id -> bob.delete("/v1/generations/" + id));
    }

    @Test
    void everyCallIsInTheAuditLog() {
        List<JsonObject> audit;
        try (AuditLog log = new AuditLog()) {
            audit = log.lines();
            String id = alice.begin(request().setRequestId("rest-audited"));
            alice.events(id).messages();
            alice.get("/v1/generations/" + id + "/images/0").is(200);
            alice.post("/v1/faces:detect", Http.JSON, new byte[0]);
            new Http().get("/v1/model");
            await().until(() -> audit.size() >= 5);
        }
        assertThat(audit.stream().map(SecuredRestTest::summary))
                .contains(
                        "key alice Generate rest-audited 1 OK ",
                        "key alice ListenToGeneration rest-audited 0 OK ",
                        "key alice GetPortrait rest-audited 0 OK ",
                        "key alice DetectFaces  0 INVALID_ARGUMENT INVALID_REQUEST",
                        " GetModelInfo  0 UNAUTHENTICATED UNAUTHENTICATED");
    }

    private static String summary(JsonObject line) {
        return String.join(
                " ",
                List.of("caller", "method", "request_id", "pictures", "code", "reason").stream()
                        .map(key -> line.get(key).getAsString())
                        .toList());
    }

    private static GenerateRequest.Builder request() {
        return Gateway.request(Gateway.somebody(1)).setSteps(2).setSeed(3);
    }

    private static DetectFacesRequest photo() {
        return DetectFacesRequest.newBuilder().setPhoto(Gateway.sample()).build();
    }
}
