package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecogniserTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "many", "0", "1", "-0.3", "NaN"})
    void thresholdThatIsNoCosineBreaksTheContract(String text) {
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> Recogniser.threshold("arcface", text))
                .satisfies(failure -> assertThat(failure.metadata())
                        .containsEntry("tensor", "parameters.same_person_threshold")
                        .containsEntry("actual", text));
        assertThat(Recogniser.threshold("arcface", "0.31")).isEqualTo(0.31);
    }

    @ParameterizedTest
    @ValueSource(floats = {0, Float.NaN, Float.POSITIVE_INFINITY})
    void anAnswerThatIsNobodyIsTheModelsFaultAndNotTheCallers(float value) {
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> Recogniser.answered("arcface", new float[] {value, 0}))
                .satisfies(failure -> {
                    assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED);
                    assertThat(failure.metadata())
                            .containsEntry("model", "arcface")
                            .containsEntry("tensor", "embedding")
                            .containsEntry("expected", "finite values, not all zero");
                });
    }
}
