package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.Step.State;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleTest {
    /** The script's seed of what LCM adds. */
    private static final int[] NOISE_SEED = {(int) 4_000_000_000L};

    @ParameterizedTest
    @EnumSource
    void trajectoriesEqualThoseOfDiffusers(SchedulerKind kind) {
        SoftAssertions softly = new SoftAssertions();
        for (JsonObject golden : Goldens.read("trajectories.jsonl")) {
            if (!golden.get("scheduler").getAsString().equals(kind.id())) {
                continue;
            }
            String what = golden.get("config") + " in " + golden.get("steps") + " steps";
            Schedule schedule = Schedule.of(
                    kind,
                    parse(golden.get("config").toString()),
                    golden.get("steps").getAsInt());
            softly.assertThat(schedule.initialNoiseSigma())
                    .as(what)
                    .isCloseTo(
                            golden.get("initial_noise_sigma").getAsDouble(),
                            within(1e-6 * golden.get("initial_noise_sigma").getAsDouble()));
            softly.assertThat(schedule.steps())
                    .as(what)
                    .hasSameSizeAs(golden.getAsJsonArray("timesteps").asList());
            List<Float> latents = new ArrayList<>();
            State state = schedule.start(start());
            PortraitNoise noise = new PortraitNoise(NOISE_SEED, 2, 2);
            int done = 0;
            for (Step step : schedule.steps()) {
                softly.assertThat((double) step.timestep())
                        .as(what)
                        .isCloseTo(golden.getAsJsonArray("timesteps").get(done).getAsDouble(), within(1e-3));
                step.advance(state, predict(scaled(step, state.latents()), step.timestep()), noise::draw);
                done++;
                if (contains(golden, done)) {
                    for (float value : state.latents().values()) {
                        latents.add(value);
                    }
                }
            }
            double error = Goldens.relativeError(toArray(latents), Goldens.floats(golden, "latents"));
            // The reference subtracts FP32 numbers as large as the starting noise, so that its latents are no better
            // than their rounding: 4e-6 with Stable Diffusion's noise levels, 5e-4 with a zero terminal SNR and Euler.
            double rounding = Math.ulp((float) (4 * schedule.initialNoiseSigma()));
            softly.assertThat(error).as(what).isLessThan(1e-4 + rounding);
        }
        softly.assertAll();
    }

    @Test
    void theLastStepOfEverySolverEndsAtItsOwnPrediction() {
        for (SchedulerKind kind : List.of(SchedulerKind.DPMPP_2M, SchedulerKind.EULER)) {
            Schedule schedule = Schedule.of(kind, parse("{}"), 4);
            State state = schedule.start(start());
            for (Step step : schedule.steps()) {
                step.advance(state, predict(scaled(step, state.latents()), step.timestep()), ScheduleTest::noNoise);
            }
            assertThat(state.latents().values()).isEqualTo(state.denoised().values());
        }
    }

    @Test
    void trailingSpacingOfSixtyOneStepsHasNoSuperfluousTimestep() {
        Schedule schedule = Schedule.of(SchedulerKind.DPMPP_2M, parse("{\"timestep_spacing\": \"trailing\"}"), 61);

        assertThat(schedule.steps()).hasSize(61);
        assertThat(schedule.steps().get(60).timestep()).isEqualTo(15);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DDIM     | thresholding           | true",
                "DPMPP_2M | thresholding           | true",
                "DPMPP_2M | algorithm_type         | \"sde-dpmsolver++\"",
                "DPMPP_2M | solver_order           | 3",
                "DPMPP_2M | solver_type            | \"heun\"",
                "DPMPP_2M | use_flow_sigmas        | true",
                "DPMPP_2M | variance_type          | \"learned_range\"",
                "DPMPP_2M | prediction_type        | \"flow_prediction\"",
                "EULER    | use_exponential_sigmas | true",
                "EULER    | use_beta_sigmas        | true",
                "EULER    | interpolation_type     | \"log_linear\"",
                "EULER    | timestep_type          | \"continuous\"",
                "EULER    | final_sigmas_type      | \"other\"",
                "DDIM     | trained_betas          | [0.1, 0.2]",
                "DDIM     | beta_schedule          | \"sigmoid\"",
                "DDIM     | beta_start             | \"small\"",
                "DDIM     | clip_sample            | 1",
                "DDIM     | steps_offset           | 500",
                "DDIM     | steps_offset           | -1",
                "EULER    | num_train_timesteps    | 50",
                "EULER    | num_train_timesteps    | 2147483647",
                "EULER    | num_train_timesteps    | 1000.5",
                "LCM      | thresholding           | true",
                "LCM      | original_inference_steps | 1001",
                "LCM      | original_inference_steps | 0",
            })
    void unsupportedSettingIsRefusedByName(SchedulerKind kind, String key, String value) {
        SchedulerConfig config = parse("{\"" + key + "\": " + value + "}");

        assertThatThrownBy(() -> Schedule.of(kind, config, 2))
                .isInstanceOfSatisfying(FailureException.class, failure -> {
                    assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED);
                    assertThat(failure.message()).contains("unet").contains(key);
                    assertThat(failure.metadata()).containsEntry("model", "unet");
                });
    }

    @Test
    void epsilonSaysNothingAtPureNoise() {
        SchedulerConfig config = parse("{\"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\"}");

        assertThatThrownBy(() -> Schedule.of(SchedulerKind.DDIM, config, 2))
                .isInstanceOf(FailureException.class)
                .hasMessageContaining("rescale_betas_zero_snr");
        assertThatThrownBy(() -> Schedule.of(SchedulerKind.LCM, config, 2))
                .isInstanceOf(FailureException.class)
                .hasMessageContaining("rescale_betas_zero_snr");
    }

    @Test
    void lcmTakesAsManyStepsAsItsModelWasDistilledFor() {
        assertThat(Schedule.mostSteps(SchedulerKind.LCM, parse("{}"))).isEqualTo(50);
        assertThat(Schedule.mostSteps(SchedulerKind.LCM, parse("{\"original_inference_steps\": 20}")))
                .isEqualTo(20);
        assertThat(Schedule.mostSteps(SchedulerKind.DDIM, parse("{}"))).isGreaterThanOrEqualTo(100);
        assertThat(Schedule.of(SchedulerKind.LCM, parse("{}"), 50).steps()).hasSize(50);
        assertThatThrownBy(() -> Schedule.of(SchedulerKind.LCM, parse("{}"), 51))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void lcmAddsNoiseAfterEveryStepButTheLast() {
        List<Step> steps = Schedule.of(SchedulerKind.LCM, parse("{}"), 4).steps();

        assertThat(steps).extracting(Step::timestep).containsExactly(999f, 759f, 499f, 259f);
        assertThat(steps.subList(0, 3))
                .allSatisfy(step -> assertThat(step.fromNoise()).isPositive());
        assertThat(steps.get(3).fromNoise()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"[]", "{", "''", "null", "1"})
    void settingsThatAreNoObjectAreRefused(String json) {
        assertThatThrownBy(() -> parse(json))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED));
    }

    @Test
    void anotherSchedulersKeysAreNobodysConcern() {
        SchedulerConfig config =
                parse("{\"solver_order\": 3, \"skip_prk_steps\": true, \"interpolation_type\": \"odd\"}");

        assertThat(Schedule.of(SchedulerKind.DDIM, config, 3))
                .isEqualTo(Schedule.of(SchedulerKind.DDIM, parse("{}"), 3));
    }

    @Test
    void unknownSchedulerIsNamedWithTheKnownOnes() {
        assertThat(SchedulerKind.parse("euler")).isEqualTo(SchedulerKind.EULER);
        assertThatThrownBy(() -> SchedulerKind.parse("plms"))
                .isInstanceOfSatisfying(FailureException.class, failure -> {
                    assertThat(failure.reason()).isEqualTo(ErrorReason.UNKNOWN_SCHEDULER);
                    assertThat(failure.metadata()).containsEntry("known", "dpmpp_2m,euler,ddim,lcm");
                });
    }

    private static SchedulerConfig parse(String json) {
        return SchedulerConfig.parse("unet", json);
    }

    private static Latents noNoise() {
        throw new AssertionError("this scheduler adds no noise");
    }

    /** The script's {@code predict}. */
    private static Latents predict(Latents latents, float timestep) {
        float[] values = latents.values().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.6 * values[i] + 0.3 * StrictMath.sin(2.0 * values[i] + 0.01 * timestep));
        }
        return latents.with(values);
    }

    /** The script's {@code start}. */
    private static Latents start() {
        float[] values = new float[16];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (2 * StrictMath.sin(1 + 7.3 * i));
        }
        return new Latents(values, 1, 2, 2);
    }

    private static boolean contains(JsonObject golden, int step) {
        for (JsonElement element : golden.getAsJsonArray("recorded")) {
            if (element.getAsInt() == step) {
                return true;
            }
        }
        return false;
    }

    private static float[] toArray(List<Float> values) {
        float[] array = new float[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i);
        }
        return array;
    }

    /** As the UNet sees them. */
    private static Latents scaled(Step step, Latents latents) {
        return Step.scaled(latents, step.inputScale());
    }
}
