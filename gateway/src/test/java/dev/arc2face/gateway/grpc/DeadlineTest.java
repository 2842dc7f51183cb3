package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Durations;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.Statistics;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceBlockingStub;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** A gateway with room for two generations, of which nothing is known when the first test begins. */
@QuarkusTest
@TestProfile(DeadlineTest.Two.class)
@WithTestResource(TritonResource.class)
@TestMethodOrder(OrderAnnotation.class)
class DeadlineTest extends ConnectedTest {
    /** Two places to run, two to wait. */
    public static final class Two implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("arc2face.limits.max-running", "2", "arc2face.limits.max-queued", "2");
        }
    }

    @Test
    @Order(1)
    void whileNothingHasBeenMeasuredTheDeadlineItselfEndsTheWorkWithAReason() {
        SharedTriton triton = SharedTriton.get();
        Failure.of(() -> withinMillis(1500).generate(longest()).forEachRemaining(event -> {}))
                .isFor(ErrorReason.DEADLINE_EXCEEDED);
        Statistics.Counters afterwards = triton.counters("unet");
        await().during(Duration.ofSeconds(1)).until(() -> {
            Statistics.Counters since = triton.counters("unet").since(afterwards);
            return since.succeeded() + since.failed() <= 1;
        });
    }

    @Test
    @Order(2)
    void whoCannotEndInTimeIsRefusedAtOnceAndDoesNoWork() {
        measure();
        SharedTriton triton = SharedTriton.get();
        Statistics.Counters before = triton.settledCounters("unet");
        Failure refused = Failure.of(
                        () -> withinMillis(1500).generate(longest()).forEachRemaining(event -> {}))
                .isFor(ErrorReason.DEADLINE_UNREACHABLE);
        assertThat(Double.parseDouble(refused.metadata().get("left_seconds"))).isBetween(0.5, 1.5);
        assertThat(Double.parseDouble(refused.metadata().get("expected_seconds")))
                .isGreaterThan(1.5);
        assertThat(refused.detail(RetryInfo.class)).as("not even alone").isEmpty();
        assertThat(triton.settledCounters("unet").since(before).succeeded()).isZero();
        assertThat(Gateway.images(
                        gateway.generate(Gateway.request(Gateway.somebody(2)).setSteps(1))))
                .hasSize(1);
    }

    @Test
    @Order(3)
    void oneThatWouldBreakTheDeadlineOfAnotherWaitsThoughThereIsAPlace() {
        Duration alone = measure();
        SlowReader tight = new SlowReader(gateway);
        tight.call(measured(), alone.multipliedBy(18).dividedBy(10));
        tight.readAll();
        assertThat(tight.isAccepted()).isTrue();
        SlowReader other = new SlowReader(gateway);
        other.call(longest());
        other.readAll();
        assertThat(other.isAccepted()).isTrue();
        await().until(() -> other.events().stream()
                .anyMatch(event -> event.hasQueued() && event.getQueued().getPosition() == 1));
        assertThat(other.events()).noneMatch(GenerateResponse::hasFaceReport);

        tight.cancel();
        await().until(() -> other.events().stream().anyMatch(GenerateResponse::hasStepProgress));
        other.cancel();
    }

    /** Has the gateway learn how long steps take, and tells how long this generation took. */
    private Duration measure() {
        List<GenerateResponse> events = gateway.generate(measured().toBuilder());
        com.google.protobuf.Duration elapsed =
                events.get(events.size() - 1).getCompleted().getElapsed();
        return Duration.ofNanos(Durations.toNanos(elapsed));
    }

    private static GenerateRequest measured() {
        return Gateway.request(Gateway.somebody(1))
                .setSteps(60)
                .setNumImages(2)
                .setGuidanceScale(2)
                .build();
    }

    private static GenerateRequest longest() {
        return Gateway.request(Gateway.somebody(1))
                .setSteps(100)
                .setNumImages(16)
                .setGuidanceScale(2)
                .build();
    }

    /** With a deadline that the server alone knows: the client's own clock would end the call without the details. */
    private PortraitServiceBlockingStub withinMillis(int millis) {
        Metadata timeout = new Metadata();
        timeout.put(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER), millis + "m");
        return PortraitServiceGrpc.newBlockingStub(gateway.channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(timeout));
    }
}
