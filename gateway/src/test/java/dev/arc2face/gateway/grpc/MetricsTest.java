package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.GenerateRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(TritonResource.class)
class MetricsTest extends ConnectedTest {
    private static final int STEPS = 5;

    @Test
    void whatIsServedIsCounted() {
        GenerateRequest.Builder request = Gateway.request(Gateway.somebody(1))
                .setNumImages(2)
                .setSteps(STEPS)
                .setSeed(1);
        gateway.generate(request);
        await().until(() -> value("arc2face_generations_running") == 0);
        double pictures = value("arc2face_pictures_total");
        double steps = value("arc2face_picture_steps_total{variant=\"base\"}");
        double calls = value("arc2face_calls_total{code=\"OK\",method=\"Generate\",reason=\"\"}");
        double rows = rowsOfUnet();
        double timed = value("arc2face_step_seconds_count{variant=\"base\"}");

        gateway.generate(request);
        await().untilAsserted(() -> assertThat(
                        value("arc2face_calls_total{code=\"OK\",method=\"Generate\",reason=\"\"}") - calls)
                .isEqualTo(1));
        assertThat(value("arc2face_pictures_total") - pictures).isEqualTo(2);
        assertThat(value("arc2face_picture_steps_total{variant=\"base\"}") - steps)
                .isEqualTo(2 * STEPS);
        assertThat(rowsOfUnet() - rows).isEqualTo(2 * 2 * STEPS);
        assertThat(value("arc2face_step_seconds_count{variant=\"base\"}") - timed)
                .isEqualTo(STEPS - 1);
        assertThat(value("arc2face_ready")).isEqualTo(1);
        assertThat(value("arc2face_model_replicas{state=\"used\"}")).isEqualTo(1);
    }

    @Test
    void portraitsThatFallShortAreCounted() {
        GenerateRequest.Builder request = Gateway.request(Gateway.somebody(1))
                .setNumImages(2)
                .setSteps(1)
                .setSeed(1)
                .setMinSimilarity(1)
                .setMaxAttempts(3);
        gateway.generate(request); // so that all of it is there
        double delivered = missed();
        double rejected = value("arc2face_pictures_rejected_total");
        double steps = value("arc2face_picture_steps_total{variant=\"base\"}");

        gateway.generate(request);
        assertThat(missed() - delivered).isEqualTo(2);
        assertThat(value("arc2face_pictures_rejected_total") - rejected).isEqualTo(2 * 2);
        assertThat(value("arc2face_picture_steps_total{variant=\"base\"}") - steps)
                .isEqualTo(2 * 3);
    }

    private static double missed() {
        return lines("arc2face_pictures_total").stream()
                .filter(line -> line.contains("floor=\"missed\""))
                .mapToDouble(MetricsTest::valueOf)
                .sum();
    }

    @Test
    void whatOperationsNeedIsThere() {
        gateway.generate(Gateway.request(Gateway.somebody(1)).setSteps(2));
        assertThat(page())
                .contains(
                        "arc2face_generations_total{outcome=\"completed\",variant=\"base\"}",
                        "arc2face_generations_waiting",
                        "arc2face_queue_wait_seconds",
                        "arc2face_queued_seconds_bucket",
                        "arc2face_generation_seconds_bucket",
                        "arc2face_step_seconds_bucket",
                        "arc2face_identity_similarity_bucket",
                        "arc2face_model_attempts_total",
                        "jvm_memory_used_bytes",
                        "jvm_threads_live_threads",
                        "process_cpu_usage");
    }

    private static double rowsOfUnet() {
        return lines("arc2face_model_rows_total").stream()
                .filter(line -> line.contains("model=\"unet\"") && line.contains("outcome=\"delivered\""))
                .mapToDouble(MetricsTest::valueOf)
                .sum();
    }

    /** The sum over all lines of that name, or the one of these very labels. */
    private static double value(String name) {
        List<String> lines = lines(name);
        return lines.stream().mapToDouble(MetricsTest::valueOf).sum();
    }

    private static List<String> lines(String name) {
        return page().lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .toList();
    }

    private static double valueOf(String line) {
        Matcher value = Pattern.compile(".* (\\S+)$").matcher(line);
        assertThat(value.matches()).isTrue();
        return Double.parseDouble(value.group(1));
    }

    private static String page() {
        return Gateway.httpPage("/q/metrics");
    }
}
