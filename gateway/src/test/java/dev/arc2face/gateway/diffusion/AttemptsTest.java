package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.GenerationEvent.Finished;
import dev.arc2face.gateway.diffusion.GenerationEvent.FurtherAttempt;
import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import dev.arc2face.gateway.face.IdentitySource;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.Statistics.Counters;
import dev.arc2face.gateway.triton.TritonExtension;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Portraits that are drawn until they are similar enough, and portraits of several identities, on the real Triton. */
@ExtendWith(TritonExtension.class)
class AttemptsTest {
    private static final int STEPS = 4;
    private static final int SEED = 4_000;

    /** 2^32 over the golden ratio, as the API documents it. */
    private static final long STRIDE = 2_654_435_769L;

    private final SharedTriton triton;
    private PortraitGenerator generator;
    private Variant variant;
    private IdentitySource somebody;
    private IdentitySource somebodyElse;

    AttemptsTest(SharedTriton triton) {
        this.triton = triton;
    }

    @BeforeEach
    void readModels() {
        ServedModels models = triton.models();
        variant = Variants.of(models).base();
        generator = Generators.of(models);
        somebody = Generators.nobodyInParticular(models, 7);
        somebodyElse = Generators.nobodyInParticular(models, 8);
    }

    @Test
    void onlyPortraitsThatFallShortAreDrawnAgain() {
        double floor = floorThatHalfReach();
        Counters before = triton.settledCounters("unet");
        List<GenerationEvent> events = run(somebody, options(4, SEED, floor, 3));
        long rows = triton.settledCounters("unet").since(before).rows();

        List<Portrait> portraits = portraits(events);
        assertThat(portraits).extracting(Portrait::imageIndex).containsExactlyInAnyOrder(0, 1, 2, 3);
        int attempts = portraits.stream().mapToInt(Portrait::attempts).sum();
        assertThat(portraits).extracting(Portrait::attempts).contains(1).anyMatch(made -> made > 1);
        assertThat(rows).as("two rows a step for each attempt").isEqualTo(2L * STEPS * attempts);
        assertThat(all(events, FurtherAttempt.class).stream()
                        .mapToInt(again -> again.workload().pictures())
                        .sum())
                .isEqualTo(attempts - 4);
        Finished finished = all(events, Finished.class).get(0);
        assertThat(finished.rejected()).isEqualTo(attempts - 4);
        assertThat(finished.unetCalls())
                .isEqualTo(STEPS * (1 + all(events, FurtherAttempt.class).size()));
        for (Portrait portrait : portraits) {
            long first = Integer.toUnsignedLong(SEED) + portrait.imageIndex();
            if (similarity(portrait) >= floor) {
                assertThat(Integer.toUnsignedLong(portrait.seed()))
                        .isEqualTo((first + (portrait.attempts() - 1) * STRIDE) % (1L << 32));
            } else {
                assertThat(portrait.attempts()).isEqualTo(3);
            }
            Portrait alone =
                    portraits(run(somebody, options(1, portrait.seed()))).get(0);
            assertThat(portrait.file().bytes()).isEqualTo(alone.file().bytes());
            assertThat(portrait.score()).isEqualTo(alone.score());
        }
    }

    @Test
    void portraitsOfOneRequestAreStillThoseOfOneRequestEach() {
        double floor = floorThatHalfReach();
        List<Portrait> together = portraits(run(somebody, options(4, SEED, floor, 3))).stream()
                .sorted(Comparator.comparingInt(Portrait::imageIndex))
                .toList();
        for (int i = 0; i < 4; i++) {
            Portrait alone =
                    portraits(run(somebody, options(1, SEED + i, floor, 3))).get(0);
            assertThat(alone.seed()).isEqualTo(together.get(i).seed());
            assertThat(alone.attempts()).isEqualTo(together.get(i).attempts());
            assertThat(alone.file().bytes()).isEqualTo(together.get(i).file().bytes());
        }
    }

    @Test
    void whereNoAttemptWillDoTheMostSimilarIsDelivered() {
        List<Portrait> attempts = IntStream.range(0, 3)
                .mapToObj(k -> portraits(run(somebody, options(1, (int) (SEED + k * STRIDE))))
                        .get(0))
                .toList();
        Portrait best = attempts.stream()
                .max(Comparator.comparingDouble(AttemptsTest::similarity))
                .orElseThrow();

        Portrait delivered = portraits(run(somebody, options(1, SEED, 1, 3))).get(0);
        assertThat(delivered.attempts()).isEqualTo(3);
        assertThat(delivered.seed()).isEqualTo(best.seed());
        assertThat(delivered.file().bytes()).isEqualTo(best.file().bytes());
        assertThat(new SimilarityFloor(OptionalDouble.of(1), 3).isReachedBy(delivered.score()))
                .isFalse();
    }

    @Test
    void progressCountsAttemptsAndNeverGoesBack() {
        List<Progress> progress = all(run(somebody, options(2, SEED, 1, 3)), Progress.class);
        assertThat(progress).extracting(Progress::attempt).containsExactly(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
        assertThat(progress).extracting(Progress::step).containsExactly(1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4);
        assertThat(progress).extracting(Progress::portraits).containsOnly(2);
        assertThat(progress).extracting(Progress::elapsed).isSorted();
    }

    @Test
    void sendsNoStepOfAFurtherAttemptOnceTheClientIsGone() {
        CancellableContext call = Context.current().withCancellation();
        Counters before = triton.settledCounters("unet");
        FailureException[] failure = new FailureException[1];
        call.run(() -> failure[0] = catchThrowableOfType(
                FailureException.class,
                () -> generator.generate(somebody, options(1, SEED, 1, 4), event -> {
                    if (event instanceof Progress progress && progress.attempt() == 2 && progress.step() == 1) {
                        call.cancel(null);
                    }
                })));

        assertThat(failure[0].reason()).isEqualTo(ErrorReason.CANCELLED);
        assertThat(triton.settledCounters("unet").since(before).succeeded()).isEqualTo(STEPS + 1);
    }

    @Test
    void interpolationsBeginAndEndWithTheirIdentitiesToTheByte() {
        IdentitySource between = new IdentitySource.Interpolation(somebody, somebodyElse, List.of(0f, 0.25f, 0.5f, 1f));
        List<Portrait> together = portraits(run(between, options(4, SEED)));

        assertThat(together.get(0).file().bytes())
                .isEqualTo(
                        portraits(run(somebody, options(1, SEED))).get(0).file().bytes());
        assertThat(together.get(3).file().bytes())
                .isEqualTo(portraits(run(somebodyElse, options(1, SEED + 3)))
                        .get(0)
                        .file()
                        .bytes());
        for (int i = 0; i < 4; i++) {
            IdentitySource one = new IdentitySource.Interpolation(
                    somebody, somebodyElse, List.of(new float[] {0, 0.25f, 0.5f, 1}[i]));
            Portrait alone = portraits(run(one, options(1, SEED + i))).get(0);
            assertThat(together.get(i).file().bytes()).isEqualTo(alone.file().bytes());
            assertThat(together.get(i).score()).isEqualTo(alone.score());
        }
        assertThat(together).extracting(portrait -> portrait.file().bytes()).doesNotHaveDuplicates();
    }

    @Test
    void portraitsOfDifferentIdentitiesKeepTheirsInFurtherAttempts() {
        IdentitySource between = new IdentitySource.Interpolation(somebody, somebodyElse, List.of(0f, 0.5f, 1f));
        for (Portrait portrait : portraits(run(between, options(3, SEED, 1, 2)))) {
            IdentitySource one =
                    new IdentitySource.Interpolation(somebody, somebodyElse, List.of(portrait.imageIndex() / 2f));
            assertThat(portrait.file().bytes())
                    .isEqualTo(portraits(run(one, options(1, portrait.seed())))
                            .get(0)
                            .file()
                            .bytes());
        }
    }

    /** A similarity that half of the first four portraits have. */
    private double floorThatHalfReach() {
        List<Double> similarities = portraits(run(somebody, options(4, SEED))).stream()
                .map(AttemptsTest::similarity)
                .sorted()
                .toList();
        assertThat(similarities.get(2)).isGreaterThan(similarities.get(1)).isPositive();
        return similarities.get(2).floatValue();
    }

    /** -1 where no face was found. */
    private static double similarity(Portrait portrait) {
        return portrait.score()
                .map(scored -> (double) (float) scored.similarity())
                .orElse(-1.0);
    }

    private GenerationOptions options(int numImages, int firstSeed) {
        return options(numImages, firstSeed, SimilarityFloor.NONE);
    }

    private GenerationOptions options(int numImages, int firstSeed, double minSimilarity, int maxAttempts) {
        return options(numImages, firstSeed, new SimilarityFloor(OptionalDouble.of(minSimilarity), maxAttempts));
    }

    private GenerationOptions options(int numImages, int firstSeed, SimilarityFloor floor) {
        return new GenerationOptions(
                variant,
                numImages,
                STEPS,
                2,
                1,
                SchedulerKind.DPMPP_2M,
                firstSeed,
                0,
                ImageFormat.PNG,
                92,
                false,
                floor);
    }

    private List<GenerationEvent> run(IdentitySource source, GenerationOptions options) {
        List<GenerationEvent> events = new ArrayList<>();
        generator.generate(source, options, events::add);
        return events;
    }

    private static <E extends GenerationEvent> List<E> all(List<GenerationEvent> events, Class<E> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private static List<Portrait> portraits(List<GenerationEvent> events) {
        return all(events, Portrait.class);
    }
}
