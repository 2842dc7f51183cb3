package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.GenerationEvent.Finished;
import dev.arc2face.gateway.diffusion.GenerationEvent.Identified;
import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import dev.arc2face.gateway.diffusion.GenerationEvent.Preview;
import dev.arc2face.gateway.diffusion.GenerationEvent.Progress;
import dev.arc2face.gateway.face.Embedding;
import dev.arc2face.gateway.face.FaceChoice;
import dev.arc2face.gateway.face.IdentitySource;
import dev.arc2face.gateway.face.Stage;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.Statistics.Counters;
import dev.arc2face.gateway.triton.TritonExtension;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole generations on the real Triton. */
@ExtendWith(TritonExtension.class)
class PortraitGeneratorTest {
    private static final int STEPS = 4;

    private final SharedTriton triton;
    private PortraitGenerator generator;
    private Variant variant;
    private IdentitySource somebody;

    PortraitGeneratorTest(SharedTriton triton) {
        this.triton = triton;
    }

    @BeforeEach
    void readModels() {
        ServedModels models = triton.models();
        variant = Variants.of(models).base();
        generator = Generators.of(models);
        somebody = Generators.nobodyInParticular(models, 7);
    }

    @Test
    void tellsWhatHappensInOrder() {
        List<GenerationEvent> events = run(options(2, SchedulerKind.DPMPP_2M, 1234, 2));

        assertThat(events.stream().map(Object::getClass).map(Class::getSimpleName))
                .containsExactly(
                        "Identified",
                        "Progress",
                        "Progress",
                        "Preview",
                        "Preview",
                        "Progress",
                        "Progress",
                        "Preview",
                        "Preview",
                        "Decoded",
                        "Portrait",
                        "Portrait",
                        "Finished");
        assertThat(((Identified) events.get(0)).report().choice()).isEqualTo(FaceChoice.EMBEDDING);
        assertThat(all(events, Progress.class)).extracting(Progress::step).containsExactly(1, 2, 3, 4);
        assertThat(all(events, Progress.class)).extracting(Progress::total).containsOnly(4);
        assertThat(all(events, Progress.class))
                .allSatisfy(progress -> assertThat(progress.expectedRemaining()).isGreaterThanOrEqualTo(Duration.ZERO));
        assertThat(all(events, Preview.class)).extracting(Preview::imageIndex).containsExactly(0, 1, 0, 1);
        assertThat(all(events, Preview.class)).extracting(Preview::step).containsExactly(2, 2, 4, 4);
        assertThat(all(events, Preview.class)).allSatisfy(preview -> {
            assertThat(preview.width()).isEqualTo(4 * triton.models().sizes().latentWidth());
            assertThat(preview.jpeg()).startsWith(0xff, 0xd8);
        });
        assertThat(all(events, Portrait.class)).extracting(Portrait::imageIndex).containsExactly(0, 1);
        assertThat(all(events, Portrait.class)).extracting(Portrait::seed).containsExactly(1234, 1235);
        Finished finished = all(events, Finished.class).get(0);
        assertThat(finished.unetCalls()).isEqualTo(4);
        assertThat(finished.timings())
                .containsKeys(Stage.ENCODE, Stage.DENOISE, Stage.VAE_DECODE, Stage.SCORE, Stage.IMAGE_ENCODE);
    }

    @ParameterizedTest
    @EnumSource
    void threePortraitsOfOneRequestAreThoseOfThree(SchedulerKind scheduler) {
        // The seeds go over the top of uint32: -1 is 2^32 - 1, then come 0 and 1.
        List<Portrait> together = portraits(run(options(3, scheduler, -1, 0)));

        assertThat(together).extracting(Portrait::seed).containsExactly(-1, 0, 1);
        for (Portrait portrait : together) {
            Portrait alone =
                    portraits(run(options(1, scheduler, portrait.seed(), 0))).get(0);
            assertThat(portrait.file().bytes()).isEqualTo(alone.file().bytes());
            assertThat(portrait.score()).isEqualTo(alone.score());
        }
        assertThat(together.get(0).file().bytes())
                .isNotEqualTo(together.get(1).file().bytes());
    }

    @Test
    void sendsNoStepOnceTheClientIsGone() {
        CancellableContext call = Context.current().withCancellation();
        Counters before = triton.settledCounters("unet");
        FailureException[] failure = new FailureException[1];
        call.run(() -> failure[0] = catchThrowableOfType(
                FailureException.class,
                () -> generator.generate(somebody, options(1, SchedulerKind.DPMPP_2M, 1, 0), event -> {
                    if (event instanceof Progress progress && progress.step() == 2) {
                        call.cancel(null);
                    }
                })));

        assertThat(failure[0].reason()).isEqualTo(ErrorReason.CANCELLED);
        assertThat(triton.settledCounters("unet").since(before)).isEqualTo(new Counters(4, 2, 2, 0));
    }

    @Test
    void afterTheGuidedStepsOnlyTheConditionalRowIsAskedFor() {
        Counters before = triton.settledCounters("unet");
        List<GenerationEvent> events = run(options(3, SchedulerKind.DPMPP_2M, 5, 2, 0.6f));
        Counters asked = triton.settledCounters("unet").since(before);

        assertThat(asked.rows()).isEqualTo(3 * (3 * 2 + 1)); // ceil(0.6 * 4) = 3 steps of two rows, one of one
        assertThat(all(events, Finished.class))
                .singleElement()
                .satisfies(finished -> assertThat(finished.unetCalls()).isEqualTo(4));
        assertThat(asked.succeeded()).isEqualTo(4);
    }

    @Test
    void callsAreCountedWhereGuidanceMakesMoreChunks() {
        int pictures = triton.models().unet().maxBatchSize();
        Counters before = triton.settledCounters("unet");
        List<GenerationEvent> events = run(options(pictures, SchedulerKind.LCM, 5, 2, 0.5f));
        Counters asked = triton.settledCounters("unet").since(before);

        assertThat(all(events, Finished.class).get(0).unetCalls()).isEqualTo(2 * 2 + 2);
        assertThat(asked.succeeded()).isEqualTo(2 * 2 + 2);
        assertThat(asked.rows()).isEqualTo(pictures * (2 * 2 + 2L));
    }

    @Test
    void guidanceThatGoesOnToTheEndIsGuidanceAndEndsAtItsFirstStepAtTheLeast() {
        List<Portrait> always = portraits(run(options(1, SchedulerKind.EULER, 5, 3, 1)));
        List<Portrait> never = portraits(run(options(1, SchedulerKind.EULER, 5, 1, 1)));

        assertThat(portraits(run(options(1, SchedulerKind.EULER, 5, 3, 0.76f)))
                        .get(0)
                        .file()
                        .bytes())
                .isEqualTo(always.get(0).file().bytes());
        assertThat(portraits(run(options(1, SchedulerKind.EULER, 5, 1, 0.5f)))
                        .get(0)
                        .file()
                        .bytes())
                .isEqualTo(never.get(0).file().bytes());
        assertThat(portraits(run(options(1, SchedulerKind.EULER, 5, 3, 0.25f)))
                        .get(0)
                        .file()
                        .bytes())
                .isNotIn(always.get(0).file().bytes(), never.get(0).file().bytes());
    }

    @ParameterizedTest
    @EnumSource
    void theStepsAfterTheGuidedOnesAreThoseWithoutGuidance(SchedulerKind scheduler) {
        ServedModels models = triton.models();
        Schedule schedule = variant.schedule(scheduler, STEPS);
        PortraitNoise noise = new PortraitNoise(
                new int[] {11}, models.sizes().latentHeight(), models.sizes().latentWidth());
        dev.arc2face.gateway.diffusion.Context context = new Encoder(models.encoder())
                .encode(
                        List.of(Embedding.normalise(
                                new Noise(7).draw(models.sizes().embeddingSize()))),
                        variant.unet().contextType())
                .get(0);
        Step.State state = schedule.start(noise.draw());
        Denoiser denoiser = new Denoiser(variant.unet(), List.of(context), state.latents());
        for (int i = 0; i < STEPS; i++) {
            Step step = schedule.steps().get(i);
            step.advance(state, denoiser.predict(state.latents(), step, i < 2 ? 3 : 1), noise::draw);
        }
        Pixels picture = new VaeDecoder(models.vaeDecoder(), models.sizes())
                .decode(state.latents(), new Chunk(0, 1))
                .get(0);

        assertThat(new PhotoDecoder(1 << 24, 50_000_000)
                        .decode(portraits(run(options(1, scheduler, 11, 3, 0.5f)))
                                .get(0)
                                .file()
                                .bytes())
                        .rgb())
                .isEqualTo(picture.rgb());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void reproduciblePicturesAreThoseOfOtherRequestsHere(int numImages) {
        GenerationOptions usual = options(numImages, SchedulerKind.DPMPP_2M, 5, 0);
        GenerationOptions alone = new GenerationOptions(
                variant,
                numImages,
                STEPS,
                2,
                1,
                SchedulerKind.DPMPP_2M,
                5,
                0,
                ImageFormat.PNG,
                92,
                true,
                SimilarityFloor.NONE);
        assertThat(portraits(run(alone)))
                .extracting(portrait -> portrait.file().bytes())
                .containsExactlyElementsOf(portraits(run(usual)).stream()
                        .map(portrait -> portrait.file().bytes())
                        .toList());
        assertThat(alone.workload().guided().rowsPerCall())
                .isEqualTo(triton.models().unet().maxBatchSize());
        assertThat(usual.workload().guided().rowsPerCall()).isEqualTo(2 * numImages);
    }

    private GenerationOptions options(int numImages, SchedulerKind scheduler, int firstSeed, int previewEvery) {
        return new GenerationOptions(
                variant,
                numImages,
                STEPS,
                2,
                1,
                scheduler,
                firstSeed,
                previewEvery,
                ImageFormat.PNG,
                92,
                false,
                SimilarityFloor.NONE);
    }

    private GenerationOptions options(
            int numImages, SchedulerKind scheduler, int firstSeed, float guidanceScale, float guidanceUntil) {
        return new GenerationOptions(
                variant,
                numImages,
                STEPS,
                guidanceScale,
                guidanceUntil,
                scheduler,
                firstSeed,
                0,
                ImageFormat.PNG,
                92,
                false,
                SimilarityFloor.NONE);
    }

    private List<GenerationEvent> run(GenerationOptions options) {
        List<GenerationEvent> events = new ArrayList<>();
        generator.generate(somebody, options, events::add);
        return events;
    }

    private static <E extends GenerationEvent> List<E> all(List<GenerationEvent> events, Class<E> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private static List<Portrait> portraits(List<GenerationEvent> events) {
        return all(events, Portrait.class);
    }
}
