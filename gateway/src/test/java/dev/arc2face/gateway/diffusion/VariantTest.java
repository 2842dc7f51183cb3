package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Reconfigured;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.TritonExtension;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(TritonExtension.class)
class VariantTest {
    private final Model unet;

    VariantTest(SharedTriton triton) {
        unet = triton.models().unet();
    }

    @Test
    void recipeIsTheModels() {
        Variant variant = new Variant("some", Reconfigured.with(unet, "default_scheduler", "euler"), Optional.empty());

        assertThat(variant.id()).isEqualTo("some");
        assertThat(variant.model()).isEqualTo("unet");
        assertThat(variant.defaultSteps()).isEqualTo(12);
        assertThat(variant.defaultGuidanceScale()).isEqualTo(1.5f);
        assertThat(variant.defaultScheduler()).contains(SchedulerKind.EULER);
        assertThat(new Variant("some", unet, Optional.empty()).defaultScheduler())
                .isEmpty();
    }

    @Test
    void stepsOfLcmAreThoseItsModelWasDistilledFor() {
        Variant variant = new Variant(
                "some",
                Reconfigured.with(unet, "scheduler_config", "{\"original_inference_steps\": 20}"),
                Optional.empty());

        assertThat(variant.mostSteps(SchedulerKind.LCM)).isEqualTo(20);
        assertThat(variant.mostSteps(SchedulerKind.EULER)).isGreaterThanOrEqualTo(100);
    }

    @Test
    void defaultSchedulerThatThereIsNotBreaksTheContract() {
        FailureException failure = violation("default_scheduler", "plms", unet);

        assertThat(failure.metadata())
                .containsEntry("model", "unet")
                .containsEntry("tensor", "parameters.default_scheduler")
                .containsEntry("expected", "one of dpmpp_2m,euler,ddim,lcm")
                .containsEntry("actual", "plms");
    }

    @Test
    void moreDefaultStepsThanTheDefaultSchedulerHasBreakTheContract() {
        FailureException failure =
                violation("default_steps", "51", Reconfigured.with(unet, "default_scheduler", "lcm"));

        assertThat(failure.metadata())
                .containsEntry("tensor", "parameters.default_steps")
                .containsEntry("expected", "at most 50 with lcm")
                .containsEntry("actual", "51");
    }

    @Test
    void settingsThatNoSchedulerTakesBreakTheContract() {
        FailureException failure = violation("scheduler_config", "{\"original_inference_steps\": 5000}", unet);

        assertThat(failure.metadata()).containsEntry("tensor", "parameters.scheduler_config.original_inference_steps");
    }

    private static FailureException violation(String parameter, String value, Model model) {
        FailureException failure = catchThrowableOfType(
                FailureException.class,
                () -> new Variant("some", Reconfigured.with(model, parameter, value), Optional.empty()));
        assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED);
        return failure;
    }
}
