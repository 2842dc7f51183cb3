package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A gateway with room for one generation and one that waits. */
@QuarkusTest
@TestProfile(AdmissionTest.Narrow.class)
@WithTestResource(TritonResource.class)
class AdmissionTest {
    private Gateway gateway;

    /** One place to run, one to wait, and little patience. */
    public static final class Narrow implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "arc2face.limits.max-running", "1",
                    "arc2face.limits.max-queued", "1",
                    "arc2face.limits.client-stall", "1s",
                    "arc2face.limits.max-steps", "90");
        }
    }

    @BeforeEach
    void connect() {
        gateway = new Gateway().awaitServing();
    }

    @AfterEach
    void disconnect() {
        gateway.close();
    }

    @Test
    void oneMoreThanThereIsRoomForIsTurnedAwayAndAPlaceGivenBackIsTaken() {
        SlowReader running = reader(longest());
        await().atMost(30, SECONDS).until(() -> running.events().stream().anyMatch(GenerateResponse::hasStepProgress));
        SlowReader waiting = reader(longest());
        assertThat(waiting.isAccepted()).isTrue();
        Failure.of(() -> gateway.generate(shortest())).isFor(ErrorReason.QUEUE_FULL);
        assertThat(waiting.events()).allMatch(GenerateResponse::hasAccepted);

        waiting.cancel();
        // The place is free as soon as the gateway has heard of it.
        SlowReader next =
                await().atMost(30, SECONDS).until(() -> reader(shortest().build()), SlowReader::isAccepted);
        running.cancel();
        assertThat(Gateway.images(next.awaitCompletion())).hasSize(1);
    }

    @Test
    void clientThatStopsReadingIsToldSoAndMakesRoom() {
        SlowReader stalled = new SlowReader(gateway);
        stalled.call(Gateway.request(Gateway.somebody(1))
                .setNumImages(16)
                .setSteps(90)
                .setPreviewEvery(1)
                .setGuidanceScale(1)
                .build());
        stalled.read(1);
        assertThat(stalled.isAccepted()).isTrue();

        // It runs when the stalled one has been stopped, and not before.
        assertThat(Gateway.images(gateway.generate(shortest()))).hasSize(1);

        stalled.readAll();
        Failure failure = Failure.of(stalled.awaitFailure()).isFor(ErrorReason.CLIENT_TOO_SLOW);
        assertThat(failure.metadata()).containsEntry("limit_seconds", "1");
        assertThat(Gateway.images(stalled.events())).isEmpty();
    }

    @Test
    void limitsOfTheDeploymentAreKept() {
        assertThat(Failure.of(() -> gateway.generate(shortest().setSteps(91)))
                        .isFor(ErrorReason.INVALID_REQUEST)
                        .fields())
                .containsExactly("steps");
    }

    private SlowReader reader(GenerateRequest request) {
        SlowReader reader = new SlowReader(gateway);
        reader.call(request);
        reader.readAll();
        return reader;
    }

    private static GenerateRequest longest() {
        return Gateway.request(Gateway.somebody(1))
                .setSteps(90)
                .setNumImages(16)
                .build();
    }

    private static GenerateRequest.Builder shortest() {
        return Gateway.request(Gateway.somebody(2)).setSteps(1);
    }
}
