package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingTest {
    @Test
    void isScaledToUnitLength() {
        assertThat(Embedding.normalise(new float[] {3, 0, -4}).values()).containsExactly(0.6f, 0, -0.8f);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.MIN_VALUE, 1e-30f, 1, 1e30f, Float.MAX_VALUE})
    void anyLengthButZeroWillDo(float scale) {
        assertThat(Embedding.normalise(new float[] {scale, -scale}).values())
                .containsExactly((float) Math.sqrt(0.5), -(float) Math.sqrt(0.5));
    }

    @ParameterizedTest
    @ValueSource(floats = {0, -0.0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void zeroAndNonFiniteValuesAreNobody(float value) {
        float[] values = {0, value, 0};
        assertThatThrownBy(() -> Embedding.normalise(values))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.EMBEDDING_INVALID));
    }

    @Test
    void theCallersArrayIsLeftAlone() {
        float[] values = {2, 0};
        Embedding.normalise(values);
        assertThat(values).containsExactly(2, 0);
    }

    @Test
    void similarityIsTheCosine() {
        Embedding right = Embedding.normalise(new float[] {1, 0});
        Embedding diagonal = Embedding.normalise(new float[] {5, 5});
        assertThat(right.similarityTo(diagonal)).isCloseTo(Math.sqrt(0.5), within(1e-7));
        assertThat(diagonal.similarityTo(diagonal)).isCloseTo(1, within(1e-7)).isLessThanOrEqualTo(1);
        assertThat(right.similarityTo(Embedding.normalise(new float[] {-9, 0}))).isEqualTo(-1);
    }

    @Test
    void embeddingsOfDifferentSizesCannotBeCompared() {
        Embedding two = new Embedding(new float[] {1, 0});
        Embedding three = new Embedding(new float[] {1, 0, 0});
        assertThatThrownBy(() -> two.similarityTo(three)).isInstanceOf(IllegalArgumentException.class);
    }
}
