package dev.arc2face.gateway.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.QuotasConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class QuotasTest {
    private long now = 5_000_000_000_000L;
    private final StepQuota quota = new StepQuota(600, () -> now);

    @Test
    void callerHasSoManyPlacesAndTheOthersHaveTheRest() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
        try {
            Admission admission = new Admission(
                    Configs.of(LimitsConfig.class, Map.of("arc2face.limits.max-queued", "100")),
                    Configs.of(QuotasConfig.class, Map.of("arc2face.quotas.generations-per-caller", "3")),
                    work -> {},
                    timer,
                    () -> now);
            List<Place> greedy = IntStream.range(0, 3)
                    .mapToObj(i -> admission.reserve("greedy"))
                    .toList();
            FailureException refused = catchThrowableOfType(FailureException.class, () -> admission.reserve("greedy"));
            assertThat(refused.reason()).isEqualTo(ErrorReason.QUOTA_EXCEEDED);
            assertThat(refused.metadata()).isEqualTo(Map.of("quota", "generations-per-caller", "limit", "3"));
            assertThat(refused.retryAfter()).isPresent();
            assertThat(admission.reserve("modest")).isNotNull();

            assertThat(greedy.get(1).release()).isTrue();
            assertThat(greedy.get(1).release()).isFalse(); // and is not counted twice
            assertThat(admission.reserve("greedy")).isNotNull();
            assertThatThrownBy(() -> admission.reserve("greedy")).isInstanceOf(FailureException.class);
        } finally {
            timer.shutdownNow();
        }
    }

    @Test
    void stepsOfAMinuteAreThereAtOnceAndComeBackEvenly() {
        take("a", 400);
        take("a", 200);
        assertThat(refusal("a", 50).retryAfter()).contains(Duration.ofSeconds(5));
        take("b", 600);
        pass(5);
        take("a", 50);
        assertThat(refusal("a", 1).metadata()).isEqualTo(Map.of("quota", "image-steps-per-minute", "limit", "600"));
        pass(3600);
        take("a", 600); // no more than a minute's worth is kept
        refusal("a", 1);
    }

    @Test
    void requestForMoreThanAMinutesWorthNeedsAFullBucketAndLeavesADebt() {
        take("a", 1200);
        assertThat(refusal("a", 10).retryAfter()).contains(Duration.ofSeconds(61));
        pass(61);
        take("a", 10);
        assertThat(refusal("a", 1600).retryAfter()).contains(Duration.ofSeconds(60));
    }

    @Test
    void furtherAttemptsAreNeverRefusedAndPaidForLater() {
        StepQuota.Charge charge = quota.charge("a", 600);
        charge.take();
        charge.takeMore(300);
        charge.takeMore(100);
        assertThat(refusal("a", 50).retryAfter()).contains(Duration.ofSeconds(45));
        pass(45);
        take("a", 50);
    }

    @Test
    void whatCameToNothingIsGivenBack() {
        StepQuota.Charge charge = quota.charge("a", 600);
        charge.take();
        charge.giveBack();
        take("a", 600);
    }

    @Test
    void callersWhoseBucketsAreFullAreForgotten() {
        for (int i = 0; i < 20_000; i++) {
            take("caller " + i, 1);
            pass(1);
        }
        assertThat(quota.size()).isLessThan(5000);
    }

    @Test
    void noQuotaLimitsNothing() {
        StepQuota none = new StepQuota(0, () -> now);
        for (int i = 0; i < 100; i++) {
            none.charge("a", 1600).take();
        }
        assertThat(none.size()).isZero();
    }

    private void take(String caller, int steps) {
        quota.charge(caller, steps).take();
    }

    private FailureException refusal(String caller, int steps) {
        FailureException refused = catchThrowableOfType(FailureException.class, () -> take(caller, steps));
        assertThat(refused.reason()).isEqualTo(ErrorReason.QUOTA_EXCEEDED);
        return refused;
    }

    private void pass(int seconds) {
        now += seconds * 1_000_000_000L;
    }
}
