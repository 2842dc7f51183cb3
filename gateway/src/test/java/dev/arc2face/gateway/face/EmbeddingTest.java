package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingTest {
    private static final int SIZE = 256;

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
    void meanOfEqualOnesIsTheSameOne() {
        Embedding somebody = random(1);
        assertThat(Embedding.mean(List.of(somebody, somebody, somebody)).values())
                .isEqualTo(somebody.values());
    }

    @Test
    void meanIsTheSumAtUnitLength() {
        List<Embedding> people = List.of(random(1), random(2), random(3), random(4));
        double[] sum = new double[SIZE];
        people.forEach(person -> Arrays.setAll(sum, i -> sum[i] + person.values()[i]));
        double length = Math.sqrt(Arrays.stream(sum).map(value -> value * value).sum());

        float[] mean = Embedding.mean(people).values();
        for (int i = 0; i < SIZE; i++) {
            assertThat(mean[i]).isCloseTo((float) (sum[i] / length), within(1e-7f));
        }
        assertThat(Embedding.mean(List.of(plane(0), plane(90))).values())
                .isEqualTo(plane(45).values());
    }

    @Test
    void meanOfOppositesIsNobody() {
        assertThatThrownBy(() -> Embedding.mean(
                        List.of(new Embedding(new float[] {0.6f, 0.8f}), new Embedding(new float[] {-0.6f, -0.8f}))))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.EMBEDDING_INVALID));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.001, 0.25, 0.5, 0.9, 0.999})
    void interpolationTurnsByItsShareOfTheAngle(double t) {
        // In the plane an angle says it all.
        float[] turned = plane(20).towards(plane(80), t).values();
        assertThat(Math.toDegrees(Math.atan2(turned[1], turned[0]))).isCloseTo(20 + 60 * t, within(1e-5));

        // Anywhere: cos(t angle) a + sin(t angle) q, q being the part of b across a, at unit length.
        float[] a = random(1).values();
        float[] b = random(2).values();
        double dot = 0;
        for (int i = 0; i < SIZE; i++) {
            dot += (double) a[i] * b[i];
        }
        double angle = Math.acos(dot);
        double across = Math.sqrt(1 - dot * dot);
        float[] between = random(1).towards(random(2), t).values();
        for (int i = 0; i < SIZE; i++) {
            double q = (b[i] - dot * a[i]) / across;
            assertThat((double) between[i])
                    .isCloseTo(Math.cos(t * angle) * a[i] + Math.sin(t * angle) * q, within(1e-6));
        }
    }

    @Test
    void interpolationEndsExactlyWhereItShould() {
        assertThat(random(1).towards(random(2), 0).values()).isEqualTo(random(1).values());
        assertThat(random(1).towards(random(2), 1).values()).isEqualTo(random(2).values());
        Embedding opposite = new Embedding(new float[] {-1, 0});
        assertThat(plane(0).towards(opposite, 0).values()).isEqualTo(plane(0).values());
        assertThat(plane(0).towards(opposite, 1).values()).isEqualTo(opposite.values());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.3, 1})
    void betweenEqualOnesThereIsOnlyThatOne(double t) {
        assertThat(random(1).towards(random(1), t).values()).isEqualTo(random(1).values());
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-3, 179.9})
    void anglesNearTheEndsOfTheirRangeAreDividedExactly(double degrees) {
        float[] turned = plane(0).towards(plane(degrees), 0.5).values();
        assertThat(Math.toDegrees(Math.atan2(turned[1], turned[0]))).isCloseTo(degrees / 2, within(degrees * 1e-4));
    }

    @Test
    void betweenOppositesThereIsNobody() {
        Embedding somebody = random(1);
        float[] opposite = somebody.values().clone();
        for (int i = 0; i < SIZE; i++) {
            opposite[i] = -opposite[i];
        }
        assertThatThrownBy(() -> somebody.towards(new Embedding(opposite), 0.5))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.EMBEDDING_INVALID));
    }

    private static Embedding random(long seed) {
        float[] values = new float[SIZE];
        Random random = new Random(seed);
        for (int i = 0; i < SIZE; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Embedding.normalise(values);
    }

    private static Embedding plane(double degrees) {
        return Embedding.normalise(
                new float[] {(float) Math.cos(Math.toRadians(degrees)), (float) Math.sin(Math.toRadians(degrees))});
    }

    @Test
    void embeddingsOfDifferentSizesCannotBeCompared() {
        Embedding two = new Embedding(new float[] {1, 0});
        Embedding three = new Embedding(new float[] {1, 0, 0});
        assertThatThrownBy(() -> two.similarityTo(three)).isInstanceOf(IllegalArgumentException.class);
    }
}
