package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.TritonExtension;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(TritonExtension.class)
class GenerationOptionsTest {
    private final Variant variant;

    GenerationOptionsTest(SharedTriton triton) {
        variant = Variants.of(triton.models()).base();
    }

    @Test
    void guidedStepsAreTheShareOfTheStepsRoundedUp() {
        assertThat(options(3, 1).guidedSteps(25)).isEqualTo(25);
        assertThat(options(3, 0.6f).guidedSteps(5)).isEqualTo(3);
        assertThat(options(3, 0.6f).guidedSteps(7)).isEqualTo(5);
        assertThat(options(3, 0.5f).guidedSteps(1)).isEqualTo(1);
        assertThat(options(3, Float.MIN_VALUE).guidedSteps(100)).isEqualTo(1);
        for (int hundredths = 1; hundredths <= 100; hundredths++) {
            BigDecimal until = BigDecimal.valueOf(hundredths, 2);
            for (int steps = 1; steps <= 100; steps++) {
                assertThat(options(3, until.floatValue()).guidedSteps(steps))
                        .isEqualTo(until.multiply(BigDecimal.valueOf(steps))
                                .setScale(0, RoundingMode.CEILING)
                                .intValue());
            }
        }
    }

    @Test
    void noStepIsGuidedAtScaleOne() {
        assertThat(options(1, 1).guidedSteps(25)).isZero();
    }

    @Test
    void guidanceEndsWithinTheSteps() {
        for (float until : new float[] {0, -0.5f, 1.01f, Float.NaN}) {
            assertThatIllegalArgumentException().isThrownBy(() -> options(3, until));
        }
    }

    private GenerationOptions options(float guidanceScale, float guidanceUntil) {
        return new GenerationOptions(
                variant,
                1,
                1,
                guidanceScale,
                guidanceUntil,
                SchedulerKind.EULER,
                0,
                0,
                ImageFormat.PNG,
                92,
                false,
                SimilarityFloor.NONE);
    }
}
