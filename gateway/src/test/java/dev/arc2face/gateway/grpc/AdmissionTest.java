package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GenerateResponse.EventCase;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A gateway with room for one generation and three that wait. */
@QuarkusTest
@TestProfile(AdmissionTest.Narrow.class)
@WithTestResource(TritonResource.class)
public class AdmissionTest extends ConnectedTest {
    /** One place to run, three to wait, and little patience. */
    public static final class Narrow implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "arc2face.limits.max-running", "1",
                    "arc2face.limits.max-queued", "3",
                    "arc2face.limits.client-stall", "1s",
                    "arc2face.limits.max-steps", "90");
        }
    }

    @Test
    void oneMoreThanThereIsRoomForIsTurnedAwayAndAPlaceGivenBackIsTaken() {
        SlowReader running = running();
        List<SlowReader> waiting =
                Stream.generate(() -> reader(longest())).limit(3).toList();
        assertThat(waiting).allMatch(SlowReader::isAccepted);
        Failure full = Failure.of(() -> gateway.generate(shortest())).isFor(ErrorReason.QUEUE_FULL);
        assertThat(full.detail(RetryInfo.class).orElseThrow().getRetryDelay().getSeconds())
                .isBetween(1L, 90L);
        assertThat(waiting)
                .allSatisfy(reader ->
                        assertThat(reader.events()).allMatch(event -> event.hasAccepted() || event.hasQueued()));

        waiting.get(0).cancel();
        // The place is free as soon as the gateway has heard of it.
        SlowReader next = await().until(() -> reader(shortest().build()), SlowReader::isAccepted);
        waiting.forEach(SlowReader::cancel);
        running.cancel();
        assertThat(Gateway.images(next.awaitCompletion())).hasSize(1);
    }

    @Test
    void callIsTurnedAwayBeforeItsRequestIsSent() {
        SlowReader running = running();
        List<SlowReader> waiting =
                Stream.generate(() -> reader(longest())).limit(3).toList();
        assertThat(waiting).allMatch(SlowReader::isAccepted);

        Failure full = Failure.of(new CallWithoutRequest(gateway.channel).awaitFailure())
                .isFor(ErrorReason.QUEUE_FULL);
        assertThat(full.detail(RetryInfo.class)).isPresent();
        waiting.forEach(SlowReader::cancel);
        running.cancel();
    }

    @Test
    void callThatNeverSendsItsRequestLosesItsPlace() {
        List<CallWithoutRequest> idle = Stream.generate(() -> new CallWithoutRequest(gateway.channel))
                .limit(4)
                .toList();
        for (CallWithoutRequest call : idle) {
            Failure failure = Failure.of(call.awaitFailure()).isFor(ErrorReason.CLIENT_TOO_SLOW);
            assertThat(failure.metadata()).containsEntry("limit_seconds", "1");
        }
        assertThat(Gateway.images(gateway.generate(shortest()))).hasSize(1);
    }

    @Test
    void callersTakeTurns() {
        try (Gateway first = new Gateway("127.0.0.2");
                Gateway second = new Gateway("127.0.0.3")) {
            SlowReader running = running();
            SlowReader one = reader(first, shortest().build());
            assertThat(one.isAccepted()).isTrue();
            SlowReader two = reader(first, shortest().build());
            assertThat(two.isAccepted()).isTrue();
            SlowReader other = reader(second, shortest().build());
            awaitPosition(other, 2);
            awaitPosition(two, 3); // it has been at 2 before
            running.cancel();
            assertThat(Stream.of(one, other, two).map(SlowReader::awaitCompletion))
                    .allSatisfy(events -> assertThat(Gateway.images(events)).hasSize(1));
            assertThat(positions(other)).startsWith(2);
            assertThat(positions(two)).startsWith(2, 3);
        }
    }

    @Test
    void whoWaitsIsToldItsPlaceAndForHowLong() {
        SlowReader running = running();
        SlowReader first = reader(longest());
        assertThat(first.isAccepted()).isTrue();
        SlowReader second = reader(longest());
        assertThat(second.isAccepted()).isTrue();
        SlowReader last = reader(shortest().build());
        awaitPosition(last, 3);
        first.cancel();
        awaitPosition(last, 2);
        second.cancel();
        awaitPosition(last, 1);
        running.cancel();

        List<GenerateResponse> events = last.awaitCompletion();
        assertThat(events.stream().map(GenerateResponse::getEventCase))
                .startsWith(EventCase.ACCEPTED, EventCase.QUEUED, EventCase.QUEUED, EventCase.QUEUED)
                .endsWith(EventCase.FACE_REPORT, EventCase.STEP_PROGRESS, EventCase.IMAGE, EventCase.COMPLETED);
        assertThat(positions(last)).containsExactly(3, 2, 1);
        List<Duration> waits = events.stream()
                .filter(GenerateResponse::hasQueued)
                .map(event -> event.getQueued().getExpectedWait())
                .toList();
        assertThat(waits).isSortedAccordingTo(Durations.comparator().reversed());
        assertThat(waits.get(2)).isNotEqualTo(Duration.getDefaultInstance());
    }

    @Test
    void whoStartsAtOnceIsToldOfNoQueue() {
        assertThat(gateway.generate(shortest())).noneMatch(GenerateResponse::hasQueued);
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

    /** One that has done enough steps to know how long they take, and has many more to do. */
    private SlowReader running() {
        SlowReader reader = reader(longest());
        await().until(() -> reader.events().stream()
                .anyMatch(event -> event.getStepProgress().getStep() >= 7));
        return reader;
    }

    private static void awaitPosition(SlowReader reader, int position) {
        await().until(() -> positions(reader).contains(position));
    }

    private static List<Integer> positions(SlowReader reader) {
        return reader.events().stream()
                .filter(GenerateResponse::hasQueued)
                .map(event -> event.getQueued().getPosition())
                .toList();
    }

    private SlowReader reader(GenerateRequest request) {
        return reader(gateway, request);
    }

    private static SlowReader reader(Gateway gateway, GenerateRequest request) {
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
