package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GenerateResponse.EventCase;
import dev.arc2face.v1.OnDisconnect;
import dev.arc2face.v1.StepProgress;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Generations whose callers come back. A gateway that does not have the generation any more is, to its caller, another
 * gateway.
 */
@QuarkusTest
@WithTestResource(TritonResource.class)
class ResumeTest extends ConnectedTest {
    @ParameterizedTest
    @EnumSource(names = {"ON_DISCONNECT_CANCEL", "ON_DISCONNECT_FINISH"})
    void cutAtAnyEventItGoesOnAsIfUncut(OnDisconnect onDisconnect) {
        GenerateRequest.Builder request = request("uncut-" + onDisconnect).setOnDisconnect(onDisconnect);
        List<GenerateResponse> uncut = gateway.generate(request);
        assertThat(uncut).hasSizeGreaterThan(8);

        for (int cut = 1; cut < uncut.size(); cut++) {
            request.setRequestId("cut-" + onDisconnect + "-" + cut);
            assertGoesOn(cut, request, uncut);
        }
    }

    /** Cut after so many events, and taken up again, it is what it was uncut. */
    private void assertGoesOn(int cut, GenerateRequest.Builder request, List<GenerateResponse> uncut) {
        List<GenerateResponse> joined = new ArrayList<>(cutAfter(cut, request));
        long seen = joined.get(joined.size() - 1).getSequence();
        joined.addAll(gateway.generate(request.clone().setAfterSequence(seen)));

        assertThat(durable(joined)).as("cut after %d events", cut).isEqualTo(durable(uncut));
        assertRises(joined);
    }

    @Test
    void cutInAnyAttemptItGoesOnAsIfUncut() {
        GenerateRequest.Builder request = request("uncut-attempts")
                .setSteps(2)
                .setPreviewEvery(1)
                .setMinSimilarity(1)
                .setMaxAttempts(3);
        List<GenerateResponse> uncut = gateway.generate(request);
        assertThat(uncut).extracting(GenerateResponse::getSequence).isSorted().doesNotHaveDuplicates();
        assertThat(Gateway.images(uncut))
                .allSatisfy(image -> assertThat(image.getAttempts()).isEqualTo(3));

        for (int cut = 3; cut < uncut.size(); cut += 2) {
            request.setRequestId("cut-attempts-" + cut);
            assertGoesOn(cut, request, uncut);
        }
    }

    @Test
    void anotherGatewayNeedsNoSeed() {
        GenerateRequest.Builder request = request("no-seed").clearSeed();
        List<GenerateResponse> uncut = gateway.generate(request); // and forgotten here now
        long seed = Integer.toUnsignedLong(uncut.get(0).getAccepted().getSeeds(0));

        List<GenerateResponse> rest = gateway.generate(request.clone().setAfterSequence(4));
        assertThat(durable(rest))
                .isEqualTo(durable(uncut).subList(2, durable(uncut).size()));
        assertThat(gateway.generate(request.clone().setSeed((int) seed).setAfterSequence(4)))
                .extracting(GenerateResponse::getImage)
                .containsAll(Gateway.images(rest));
        assertThat(gateway.generate(request("another-id").clearSeed())
                        .get(0)
                        .getAccepted()
                        .getSeeds(0))
                .isNotEqualTo((int) seed);
    }

    @Test
    void resultThatNobodyListenedToIsHeld() {
        GenerateRequest.Builder request = request("held").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
        List<GenerateResponse> seen = cutAfter(2, request);

        List<GenerateResponse> rest = gateway.generate(request.clone().setAfterSequence(2));
        assertThat(rest.get(rest.size() - 1).hasCompleted()).isTrue();
        List<GenerateResponse> again = gateway.generate(request);

        Completed completed = again.get(again.size() - 1).getCompleted();
        assertThat(completed)
                .isEqualTo(rest.get(rest.size() - 1).getCompleted()); // timings, too: nothing was made anew
        assertThat(again).startsWith(seen.toArray(new GenerateResponse[0]));
        assertThat(cancel(gateway, "held")).isTrue();
        assertThat(gateway.generate(request).get(again.size() - 1).getCompleted())
                .isNotEqualTo(completed);
        assertThat(cancel(gateway, "held")).isTrue();
    }

    @Test
    void laterCallGoesOnInThePlaceOfTheEarlier() {
        GenerateRequest.Builder request = request("taken-over").setSteps(100);
        SlowReader earlier = new SlowReader(gateway);
        earlier.call(request.build());
        earlier.read(2);
        await().until(() -> earlier.events().size() == 2);

        SlowReader later = new SlowReader(gateway);
        later.call(request.clone().setAfterSequence(2).build());
        later.readAll();

        List<GenerateResponse> joined = new ArrayList<>(earlier.events());
        joined.addAll(later.awaitCompletion());
        earlier.readAll();
        Failure.of(earlier.awaitFailure()).isFor(ErrorReason.CANCELLED);
        assertThat(Gateway.images(joined)).hasSize(2);
        assertRises(joined);
    }

    @Test
    void sameIdWithAnotherRequestIsRefused() {
        GenerateRequest.Builder request = request("conflict").setSteps(100);
        SlowReader running = new SlowReader(gateway);
        running.call(request.build());
        running.read(1);
        assertThat(running.isAccepted()).isTrue();

        for (GenerateRequest.Builder other : List.of(
                request.clone().setSteps(99),
                request.clone().setSeed(1),
                request.clone().setIdentity(Gateway.somebody(2)))) {
            assertThatThrownBy(() -> gateway.generate(other))
                    .satisfies(failure -> Failure.of(failure).isFor(ErrorReason.REQUEST_ID_CONFLICT));
        }
        running.readAll();
        assertThat(Gateway.images(running.awaitCompletion())).hasSize(2);
    }

    @Test
    void cancelledGenerationEndsWhateverItWasToDoOnDisconnect() {
        GenerateRequest.Builder request =
                request("cancelled").setSteps(100).setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
        SlowReader running = new SlowReader(gateway);
        running.call(request.build());
        running.readAll();
        await().until(() -> running.events().stream().anyMatch(GenerateResponse::hasStepProgress));

        assertThat(cancel(gateway, "cancelled")).isTrue();
        Failure.of(running.awaitFailure()).isFor(ErrorReason.CANCELLED);
        assertThat(cancel(gateway, "cancelled")).isFalse();
    }

    @Test
    void anotherCallersGenerationIsNotThere() {
        GenerateRequest.Builder request =
                request("mine").setSteps(100).setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
        SlowReader running = new SlowReader(gateway);
        running.call(request.build());
        running.read(2);
        await().until(() -> running.events().size() == 2);

        try (Gateway other = new Gateway("127.0.0.3")) {
            assertThat(cancel(other, "mine")).isFalse();
            assertThat(cancel(other, "nobodys")).isFalse();
            // Neither a conflict nor the other's events: a generation of its own.
            GenerateRequest.Builder same = request("mine").setSteps(2).setIdentity(Gateway.somebody(9));
            assertThat(Gateway.images(other.generate(same))).hasSize(2);
        }
        running.readAll();
        assertThat(Gateway.images(running.awaitCompletion())).hasSize(2);
        cancel(gateway, "mine");
    }

    @Test
    void goingOnNeedsAnId() {
        assertThatThrownBy(() -> gateway.generate(request("").setAfterSequence(3)))
                .satisfies(failure -> Failure.of(failure).isFor(ErrorReason.INVALID_REQUEST));
    }

    private static GenerateRequest.Builder request(String id) {
        return Gateway.request(Gateway.somebody(1))
                .setNumImages(2)
                .setSteps(6)
                .setPreviewEvery(3)
                .setSeed(7)
                .setRequestId(id);
    }

    /** The events that a caller got whose connection broke after so many. */
    private static List<GenerateResponse> cutAfter(int count, GenerateRequest.Builder request) {
        try (Gateway connection = new Gateway().awaitServing()) {
            SlowReader reader = new SlowReader(connection);
            reader.call(request.build());
            reader.read(count);
            await().until(() -> reader.events().size() == count);
            connection.channel.shutdownNow();
            return reader.events();
        }
    }

    private static boolean cancel(Gateway caller, String id) {
        return caller.service()
                .cancelGeneration(
                        CancelGenerationRequest.newBuilder().setRequestId(id).build())
                .getCancelled();
    }

    /** What may not be missing, without its number and without what a clock has to do with it. */
    private static List<GenerateResponse> durable(List<GenerateResponse> events) {
        return events.stream()
                .filter(event -> switch (event.getEventCase()) {
                    case ACCEPTED, FACE_REPORT, IMAGE, COMPLETED -> true;
                    default -> false;
                })
                .map(Gateway::timeless)
                .collect(Collectors.toList());
    }

    private static void assertRises(List<GenerateResponse> events) {
        assertThat(events.stream()
                        .filter(event -> event.getEventCase() != EventCase.QUEUED)
                        .map(GenerateResponse::getSequence)
                        .toList())
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(events.stream()
                        .filter(GenerateResponse::hasStepProgress)
                        .map(GenerateResponse::getStepProgress)
                        .map(StepProgress::getStep)
                        .toList())
                .isSorted();
    }
}
