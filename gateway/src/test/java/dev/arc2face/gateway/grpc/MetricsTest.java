package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.GenerationEvent.Decoded;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.SchedulerKind;
import dev.arc2face.gateway.diffusion.SimilarityFloor;
import dev.arc2face.gateway.face.IdentitySource;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.GenerateRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(TritonResource.class)
class MetricsTest extends ConnectedTest {
    private static final int STEPS = 5;

    private static final Path DOCUMENTATION = Path.of("..", "docs", "observability.md");
    private static final Pattern ROW =
            Pattern.compile("^\\| `(arc2face_[a-z_]+)` \\| (\\w+) \\| \\w* ?\\| ([^|]*)\\| (.+) \\|$");
    private static final Pattern TYPE = Pattern.compile("^# TYPE (arc2face_[a-z_]+) (\\w+)$");
    private static final Pattern HELP = Pattern.compile("^# HELP (arc2face_[a-z_]+) (.*)$");
    private static final Pattern SAMPLE = Pattern.compile("^(arc2face_[a-z_]+)(?:\\{(.*)\\})? \\S+$");
    private static final Pattern QUOTED = Pattern.compile("`(\\w+)`");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"[^\"]*\"");

    @Inject
    Readiness readiness;

    @Inject
    Meters meters;

    @Test
    void whatIsServedIsCounted() {
        GenerateRequest.Builder request = Gateway.request(Gateway.somebody(1))
                .setNumImages(2)
                .setSteps(STEPS)
                .setSeed(1);
        gateway.generate(request);
        awaitIdle();
        double pictures = value("arc2face_pictures_total");
        double steps = value("arc2face_picture_steps_total{variant=\"base\"}");
        double calls = value("arc2face_calls_total{code=\"OK\",method=\"Generate\",reason=\"\"}");
        double rows = rows("unet", "delivered");
        double answers = value("arc2face_model_call_seconds_count{model=\"unet\"}");
        double timed = value("arc2face_step_seconds_count{variant=\"base\"}");

        gateway.generate(request);
        await().untilAsserted(() -> assertThat(
                        value("arc2face_calls_total{code=\"OK\",method=\"Generate\",reason=\"\"}") - calls)
                .isEqualTo(1));
        assertThat(value("arc2face_pictures_total") - pictures).isEqualTo(2);
        assertThat(value("arc2face_picture_steps_total{variant=\"base\"}") - steps)
                .isEqualTo(2 * STEPS);
        assertThat(rows("unet", "delivered") - rows).isEqualTo(2 * 2 * STEPS);
        assertThat(value("arc2face_model_call_seconds_count{model=\"unet\"}") - answers)
                .isEqualTo(STEPS);
        assertThat(value("arc2face_step_seconds_count{variant=\"base\"}") - timed)
                .isEqualTo(STEPS - 1);
        assertThat(value("arc2face_ready")).isEqualTo(1);
        assertThat(value("arc2face_model_replicas{state=\"used\"}")).isEqualTo(1);
    }

    @Test
    void theReplicaIsWell() {
        String replica = "{replica=\"" + SharedTriton.get().target() + "\"";
        assertThat(value("arc2face_model_replica_up" + replica + "}")).isEqualTo(1);
        assertThat(value("arc2face_model_replica_used" + replica + "}")).isEqualTo(1);
        assertThat(value("arc2face_model_replica_breaker" + replica + ",state=\"closed\"}"))
                .isEqualTo(1);
        assertThat(value("arc2face_model_replica_breaker")).isEqualTo(1);
        await().until(() -> value("arc2face_model_replica_rows") == 0);
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

    /** What Triton has decoded is what the gateway says has become of it. */
    @Test
    void theAccountsOfPicturesBalance() {
        Accounts before = Accounts.settled();
        GenerateRequest.Builder request =
                Gateway.request(Gateway.somebody(1)).setNumImages(3).setSteps(1).setSeed(1);
        gateway.generate(request);
        gateway.generate(request.clone().setMinSimilarity(1).setMaxAttempts(2));
        gateway.generate(request.clone().setReproducible(true));
        decodeAndCancel(3);

        Accounts now = Accounts.settled().since(before);
        assertThat(now.delivered).isEqualTo(3 + 3 + 3);
        assertThat(now.rejected).isEqualTo(3);
        assertThat(now.discarded).isEqualTo(3);
        assertThat(now.padding).isPositive();
        assertThat(now.decoded).isEqualTo(now.delivered + now.rejected + now.discarded + now.padding + now.lost);
        assertThat(now.lost).isZero(); // nothing was repeated; FaultsTest does that
    }

    private static void awaitIdle() {
        await().untilAsserted(
                        () -> assertThat(value("arc2face_generations_running")).isZero());
    }

    private record Accounts(
            double decoded, double delivered, double rejected, double discarded, double padding, double lost) {
        static Accounts settled() {
            awaitIdle();
            return new Accounts(
                    SharedTriton.get().settledCounters("vae_decoder").rows(),
                    value("arc2face_pictures_total"),
                    value("arc2face_pictures_rejected_total"),
                    value("arc2face_pictures_discarded_total"),
                    value("arc2face_model_padding_rows_total{model=\"vae_decoder\"}"),
                    rows("vae_decoder", "failed") + rows("vae_decoder", "abandoned"));
        }

        Accounts since(Accounts before) {
            return new Accounts(
                    decoded - before.decoded,
                    delivered - before.delivered,
                    rejected - before.rejected,
                    discarded - before.discarded,
                    padding - before.padding,
                    lost - before.lost);
        }
    }

    /** A generation that is cancelled when its pictures are decoded, and none of them has been told. */
    private void decodeAndCancel(int images) {
        Pipeline pipeline = readiness.pipeline();
        float[] values = new float[pipeline.models().sizes().embeddingSize()];
        Arrays.fill(values, 1);
        GenerationOptions options = new GenerationOptions(
                pipeline.variants().base(),
                images,
                1,
                1,
                1,
                SchedulerKind.DDIM,
                1,
                0,
                ImageFormat.JPEG,
                92,
                false,
                SimilarityFloor.NONE);
        PictureMeters pictures = meters.pictures(options);
        FailureException cancelled = catchThrowableOfType(
                FailureException.class,
                () -> pipeline.generator()
                        .generate(
                                new IdentitySource.GivenEmbedding(
                                        values, pipeline.recogniser().id()),
                                options,
                                pictures.watching(event -> {
                                    if (event instanceof Decoded) {
                                        throw FailureException.of(ErrorReason.CANCELLED, "the call was cancelled");
                                    }
                                })));
        pictures.ended(cancelled.reason().name());
        assertThat(value("arc2face_pictures_discarded_total{outcome=\"CANCELLED\",variant=\"base\"}"))
                .isGreaterThanOrEqualTo(images);
    }

    @Test
    void theTableOfTheDocumentationIsWhatThePageSays() throws IOException {
        gateway.generate(Gateway.request(Gateway.somebody(1)).setSteps(2));
        awaitIdle();
        Map<String, Meter> documented = new TreeMap<>();
        for (String line : Files.readAllLines(DOCUMENTATION)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                Set<String> labels = new TreeSet<>();
                QUOTED.matcher(row.group(3))
                        .results()
                        .map(label -> label.group(1))
                        .forEach(labels::add);
                documented.put(row.group(1), new Meter(row.group(2), labels, row.group(4)));
            }
        }
        assertThat(onThePage()).isEqualTo(documented);
    }

    private record Meter(String type, Set<String> labels, String help) {}

    /** By the names of samples: what OpenMetrics, which the page is, says of a counter, it says without its suffix. */
    private static Map<String, Meter> onThePage() {
        Map<String, String> types = new TreeMap<>();
        Map<String, String> helps = new TreeMap<>();
        Map<String, Set<String>> labels = new TreeMap<>();
        for (String line : page().lines().toList()) {
            Matcher type = TYPE.matcher(line);
            Matcher help = HELP.matcher(line);
            Matcher sample = SAMPLE.matcher(line);
            if (type.matches()) {
                types.put(type.group(1), type.group(2));
            } else if (help.matches()) {
                helps.put(help.group(1), help.group(2).strip());
            } else if (sample.matches() && sample.group(2) != null) {
                String family = sample.group(1).replaceAll("_(total|bucket|count|sum)$", "");
                Set<String> these = labels.computeIfAbsent(family, unused -> new TreeSet<>());
                LABEL.matcher(sample.group(2))
                        .results()
                        .map(label -> label.group(1))
                        .forEach(these::add);
                these.remove("le");
            }
        }
        Map<String, Meter> meters = new TreeMap<>();
        types.forEach((family, type) -> {
            boolean isMaximum = types.containsKey(family.replaceAll("_max$", "")) && family.endsWith("_max");
            if (!isMaximum) {
                Meter meter =
                        new Meter(type, labels.getOrDefault(family, Set.of()), helps.getOrDefault(family, "nothing"));
                meters.put(type.equals("counter") ? family + "_total" : family, meter);
            }
        });
        return meters;
    }

    @Test
    void whatOperationsNeedIsThere() {
        gateway.generate(Gateway.request(Gateway.somebody(1)).setSteps(2));
        assertThat(page())
                .contains(
                        "arc2face_generations_total{outcome=\"completed\",variant=\"base\"}",
                        "jvm_memory_used_bytes",
                        "jvm_threads_live_threads",
                        "process_cpu_usage");
    }

    private static double missed() {
        return lines("arc2face_pictures_total").stream()
                .filter(line -> line.contains("floor=\"missed\""))
                .mapToDouble(MetricsTest::valueOf)
                .sum();
    }

    private static double rows(String model, String outcome) {
        return lines("arc2face_model_rows_total").stream()
                .filter(line ->
                        line.contains("model=\"" + model + "\"") && line.contains("outcome=\"" + outcome + "\""))
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
        return Gateway.metrics();
    }
}
