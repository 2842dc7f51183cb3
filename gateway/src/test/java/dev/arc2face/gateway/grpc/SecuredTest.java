package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static dev.arc2face.gateway.security.Credentials.bearer;
import static dev.arc2face.gateway.security.Credentials.header;
import static dev.arc2face.gateway.security.Credentials.key;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.Folders;
import dev.arc2face.gateway.security.ApiKeys;
import dev.arc2face.gateway.security.AuditLog;
import dev.arc2face.gateway.security.Issuer;
import dev.arc2face.gateway.security.Role;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.OnDisconnect;
import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceBlockingStub;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A gateway that asks who calls: API keys and tokens. */
@QuarkusTest
@TestProfile(SecuredTest.Asking.class)
@WithTestResource(TritonResource.class)
public class SecuredTest extends ConnectedTest {
    /** Where the profile leaves what the tests need: they are loaded apart. */
    private static final String FOLDER = "arc2face.test.secured";

    public static final String ALICE = "alices-own-key";
    public static final String BOB = "bobs-own-key";
    public static final String EVE = "eves-own-key";
    private static final String ROOT = "roots-own-key";

    /** Keys for three callers and an issuer of tokens. */
    public static final class Asking implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                Path folder = Folders.create("secured");
                System.setProperty(FOLDER, folder.toString());
                Issuer issuer = Issuer.create("one");
                Files.writeString(folder.resolve("secret.json"), issuer.secret());
                Path jwks = Files.writeString(folder.resolve("jwks.json"), issuer.keys());
                Path keys = Files.writeString(
                        folder.resolve("keys"),
                        String.join(
                                "\n",
                                ApiKeys.line("alice", ALICE, Set.of(Role.GENERATE, Role.EMBED)),
                                ApiKeys.line("bob", BOB, Set.of(Role.GENERATE)),
                                ApiKeys.line("eve", EVE, Set.of(Role.EMBED)),
                                ApiKeys.line("root", ROOT, Set.of(Role.ADMIN))));
                return Map.of(
                        "arc2face.security.api-keys-file",
                        keys.toString(),
                        "arc2face.security.jwt.issuer",
                        Issuer.NAME,
                        "arc2face.security.jwt.audience",
                        Issuer.AUDIENCE,
                        "arc2face.security.jwt.jwks",
                        jwks.toString(),
                        "arc2face.quotas.generations-per-caller",
                        "2",
                        "arc2face.quotas.image-steps-per-minute",
                        "1000");
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    @Test
    void nobodyGetsInWithoutCredentials() {
        PortraitServiceBlockingStub nobody = gateway.service();
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> nobody.generate(shortest().build()).next(),
                () -> nobody.cancelGeneration(CancelGenerationRequest.getDefaultInstance()),
                () -> nobody.detectFaces(DetectFacesRequest.getDefaultInstance()),
                () -> nobody.embedFace(EmbedFaceRequest.getDefaultInstance()),
                () -> nobody.compareFaces(CompareFacesRequest.getDefaultInstance()),
                () -> nobody.getModelInfo(GetModelInfoRequest.getDefaultInstance()),
                () -> unknownMethod())) {
            Failure.of(call).isFor(ErrorReason.UNAUTHENTICATED);
        }
        assertThat(Failure.of(() -> reflect(new Metadata())).message()).contains("no credentials");
    }

    @Test
    void wrongCredentialsOpenNothingAndAllSayTheSame() {
        Issuer issuer = issuer();
        List<Metadata> wrong = List.of(
                key("nobodys-key"),
                key(""),
                bearer(ALICE),
                bearer(issuer.token(
                        claims -> claims.expirationTime(Date.from(Instant.now().minusSeconds(120))))),
                bearer(issuer.token(claims -> claims.audience("another"))),
                bearer(Issuer.create("one").token(claims -> {})),
                bearer(Issuer.unsigned()),
                bearer(issuer.signedWithThePublicKey()),
                header("authorization", "Basic YWxpY2U6c2VjcmV0"));
        assertThat(wrong.stream()
                        .map(headers -> Failure.of(() -> info(headers))
                                .isFor(ErrorReason.UNAUTHENTICATED)
                                .message())
                        .distinct())
                .containsExactly("the credentials are not valid");
    }

    @Test
    void callerMayDoWhatItsRolesAllow() {
        assertThat(Gateway.images(generate(BOB, shortest()))).hasSize(1);
        assertThat(Failure.of(() -> as(key(BOB)).detectFaces(photo()))
                        .isFor(ErrorReason.PERMISSION_DENIED)
                        .metadata())
                .containsEntry("role", "embed");
        assertThat(as(key(EVE)).detectFaces(photo()).getFacesCount()).isEqualTo(1);
        assertThat(Failure.of(() -> generate(EVE, shortest()))
                        .isFor(ErrorReason.PERMISSION_DENIED)
                        .metadata())
                .containsEntry("role", "generate");
        Failure.of(() -> as(key(EVE)).cancelGeneration(cancellation("x"))).isFor(ErrorReason.PERMISSION_DENIED);
        assertThat(info(key(ROOT)).getProfile()).isEqualTo("mini");
        assertThat(Failure.of(() -> reflect(key(BOB))).message()).contains("'admin'");
        assertThat(reflect(key(ROOT))).contains(PortraitServiceGrpc.SERVICE_NAME);
    }

    @Test
    void tokenOpensWithItsRoles() {
        await().ignoreExceptions().untilAsserted(() -> info(bearer(issuer().token(claims -> {}))));
        Metadata carol = bearer(issuer().token(claims -> {}));
        assertThat(as(carol).generate(shortest().build()).next().hasAccepted()).isTrue();
        Failure.of(() -> as(carol).detectFaces(photo())).isFor(ErrorReason.PERMISSION_DENIED);
    }

    @Test
    void anotherCallersRequestCanNeitherBeReadNorCancelledNorFound() {
        GenerateRequest.Builder alices =
                shortest().setSteps(50).setRequestId("mine").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
        List<GenerateResponse> events = generate(ALICE, alices);

        assertThat(as(key(BOB)).cancelGeneration(cancellation("mine")).getCancelled())
                .isFalse();
        assertThat(as(key(BOB)).cancelGeneration(cancellation("nobodys")))
                .isEqualTo(as(key(BOB)).cancelGeneration(cancellation("mine")));
        // Neither a conflict nor hers: a generation of his own.
        GenerateRequest.Builder bobs = shortest().setRequestId("mine").setIdentity(Gateway.somebody(5));
        List<GenerateResponse> his = generate(BOB, bobs.setAfterSequence(1));
        assertThat(Gateway.images(his).get(0).getData())
                .isNotEqualTo(Gateway.images(events).get(0).getData());
        List<GenerateResponse> again = generate(ALICE, alices);
        assertThat(again.get(again.size() - 1))
                .isEqualTo(events.get(events.size() - 1)); // its timings, too: still held
        assertThat(as(key(ALICE)).cancelGeneration(cancellation("mine")).getCancelled())
                .isTrue();
    }

    @Test
    void callerWithAllItsPlacesTakenDoesNotKeepOthersOut() {
        Metadata greta = bearer(issuer().token(claims -> claims.subject("greta")));
        await().ignoreExceptions().untilAsserted(() -> info(greta));
        List<SlowReader> greedy = List.of(new SlowReader(gateway), new SlowReader(gateway));
        for (SlowReader reader : greedy) {
            reader.call(
                    as(PortraitServiceGrpc.newStub(gateway.channel), greta),
                    longest(31).build());
            reader.readAll();
            assertThat(reader.isAccepted()).isTrue();
        }
        Failure refused =
                Failure.of(() -> as(greta).generate(shortest().build()).next()).isFor(ErrorReason.QUOTA_EXCEEDED);
        assertThat(refused.metadata()).containsEntry("quota", "generations-per-caller");
        assertThat(Gateway.images(generate(ALICE, shortest()))).hasSize(1);
        greedy.forEach(SlowReader::cancel);
    }

    @Test
    void stepsOfAMinuteAreLimited() {
        Metadata dave = bearer(issuer().token(claims -> claims.subject("dave")));
        await().ignoreExceptions().untilAsserted(() -> info(dave));
        as(dave).generate(longest(62).build()).next(); // 16 portraits of 62 steps: 992 of 1000
        Failure refused = Failure.of(
                        () -> as(dave).generate(shortest().setSteps(50).build()).next())
                .isFor(ErrorReason.QUOTA_EXCEEDED);
        assertThat(refused.metadata())
                .containsEntry("quota", "image-steps-per-minute")
                .containsEntry("limit", "1000");
    }

    @Test
    void everyCallIsInTheAuditLog() {
        List<JsonObject> audit;
        try (AuditLog log = new AuditLog()) {
            audit = log.lines();
            GenerateRequest.Builder request = shortest()
                    .setRequestId("audited")
                    .setNumImages(2)
                    .setMinSimilarity(1)
                    .setMaxAttempts(2)
                    .setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
            generate(ALICE, request);
            generate(ALICE, request.setAfterSequence(1)); // which goes on with it
            as(key(EVE)).detectFaces(photo());
            Failure.of(() -> info(key("wrong")));
            Failure.of(() -> as(key(ALICE)).detectFaces(DetectFacesRequest.getDefaultInstance()));
            await().until(() -> audit.size() >= 5);
        }
        JsonObject generated = line(audit, "Generate", "key alice");
        assertThat(generated.get("request_id").getAsString()).isEqualTo("audited");
        assertThat(generated.get("variant").getAsString()).isEqualTo("base");
        assertThat(generated.get("model").getAsString()).isEqualTo("unet");
        assertThat(generated.get("pictures").getAsInt()).isEqualTo(2);
        assertThat(audit.stream()
                        .filter(line -> line.get("method").getAsString().equals("Generate")))
                .hasSize(2)
                .allMatch(line -> line.get("rejected").getAsInt() == 2);
        assertThat(generated.get("code").getAsString()).isEqualTo("OK");
        assertThat(Instant.parse(generated.get("time").getAsString())).isBefore(Instant.now());
        assertThat(line(audit, "DetectFaces", "key eve").get("code").getAsString())
                .isEqualTo("OK");
        assertThat(line(audit, "GetModelInfo", "").get("reason").getAsString()).isEqualTo("UNAUTHENTICATED");
        assertThat(line(audit, "DetectFaces", "key alice").get("reason").getAsString())
                .isEqualTo("INVALID_REQUEST");
    }

    private static JsonObject line(List<JsonObject> audit, String method, String caller) {
        return audit.stream()
                .filter(line -> line.get("method").getAsString().equals(method)
                        && line.get("caller").getAsString().equals(caller))
                .findFirst()
                .orElseThrow(() -> new AssertionError(method + " by " + caller + " is not in " + audit));
    }

    private static GenerateRequest.Builder shortest() {
        return Gateway.request(Gateway.somebody(1)).setSteps(2).setSeed(3);
    }

    private static GenerateRequest.Builder longest(int steps) {
        return shortest().setSteps(steps).setNumImages(16);
    }

    private static DetectFacesRequest photo() {
        return DetectFacesRequest.newBuilder().setPhoto(Gateway.sample()).build();
    }

    private static CancelGenerationRequest cancellation(String id) {
        return CancelGenerationRequest.newBuilder().setRequestId(id).build();
    }

    private List<GenerateResponse> generate(String key, GenerateRequest.Builder request) {
        List<GenerateResponse> events = new CopyOnWriteArrayList<>();
        as(key(key)).generate(request.build()).forEachRemaining(events::add);
        return events;
    }

    private GetModelInfoResponse info(Metadata headers) {
        return as(headers).getModelInfo(GetModelInfoRequest.getDefaultInstance());
    }

    private PortraitServiceBlockingStub as(Metadata headers) {
        return as(gateway.service(), headers);
    }

    private static <S extends AbstractStub<S>> S as(S stub, Metadata headers) {
        return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private void unknownMethod() {
        ClientCalls.blockingUnaryCall(
                gateway.channel,
                PortraitServiceGrpc.getGetModelInfoMethod().toBuilder()
                        .setFullMethodName("nobody.Knows/This")
                        .build(),
                CallOptions.DEFAULT,
                GetModelInfoRequest.getDefaultInstance());
    }

    private List<String> reflect(Metadata headers) {
        return Gateway.services(as(ServerReflectionGrpc.newStub(gateway.channel), headers));
    }

    private static Issuer issuer() {
        try {
            return Issuer.of(Files.readString(Path.of(System.getProperty(FOLDER), "secret.json")));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
