package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConsensusTest {
    private static final int SIZE = 256;
    private static final double THRESHOLD = 0.4;

    @Test
    void whoAgreeAreAveraged() {
        List<Embedding> photos = people("AAAA");
        Consensus consensus = Consensus.of(photos, THRESHOLD);

        assertThat(consensus.members()).containsExactly(true, true, true, true);
        assertThat(consensus.embedding().values())
                .isEqualTo(Embedding.mean(photos).values());
        assertThat(consensus.similarities())
                .allSatisfy(similarity -> assertThat(similarity).isBetween(0.7, 0.95));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "BAA",
                "AAB",
                "AABA",
                "ABACA",
                "BBAAA",
                "ABABA",
                "AAAAAAAAABBBBBBB",
                "CAAAAAAAAAAAAAAB",
                "ABCDAAAA"
            })
    void othersAreLeftOutWhereverTheyAreAndHoweverMuchTheyAgree(String who) {
        List<Embedding> photos = people(who);
        Consensus consensus = Consensus.of(photos, THRESHOLD);

        assertThat(consensus.members())
                .isEqualTo(who.chars().mapToObj(person -> person == 'A').toList());
        List<Embedding> own = IntStream.range(0, who.length())
                .filter(i -> who.charAt(i) == 'A')
                .mapToObj(photos::get)
                .toList();
        assertThat(consensus.embedding().values()).isEqualTo(Embedding.mean(own).values());
        for (int i = 0; i < who.length(); i++) {
            assertThat(consensus.similarities().get(i))
                    .isCloseTo(photos.get(i).similarityTo(consensus.embedding()), within(1e-12));
            if (who.charAt(i) != 'A') {
                assertThat(consensus.similarities().get(i)).isLessThan(THRESHOLD);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"AB", "ABC", "AABB", "ABAB", "AABC", "ABCDEFGH"})
    void withoutAMajorityNobodyIsMeant(String who) {
        FailureException failure =
                catchThrowableOfType(FailureException.class, () -> Consensus.of(people(who), THRESHOLD));

        assertThat(failure.reason()).isEqualTo(ErrorReason.IDENTITIES_DISAGREE);
        assertThat(failure.metadata())
                .containsEntry("threshold", "0.400")
                .containsKeys("disagreeing", "lowest_similarity");
        assertThat(Double.parseDouble(failure.metadata().get("lowest_similarity")))
                .isLessThan(THRESHOLD);
        List<Integer> disagreeing = Stream.of(
                        failure.metadata().get("disagreeing").split(","))
                .map(Integer::valueOf)
                .toList();
        assertThat(disagreeing).hasSizeGreaterThanOrEqualTo(who.length() / 2);
    }

    @Test
    void ofTwoWhoDisagreeBothAreNamed() {
        FailureException failure =
                catchThrowableOfType(FailureException.class, () -> Consensus.of(people("AB"), THRESHOLD));
        assertThat(failure.metadata()).containsEntry("disagreeing", "0,1");
    }

    @Test
    void theThresholdItselfAgrees() {
        Embedding right = new Embedding(new float[] {1, 0});
        Embedding up = new Embedding(new float[] {0.6f, 0.8f});
        double cosine = right.similarityTo(up);
        assertThat(Consensus.of(List.of(right, up), cosine).members()).containsExactly(true, true);
        assertThat(catchThrowableOfType(
                        FailureException.class, () -> Consensus.of(List.of(right, up), Math.nextUp(cosine))))
                .isNotNull();
    }

    @Test
    void thoseThatCancelOutAgreeOnNobody() {
        Embedding right = new Embedding(new float[] {1, 0});
        Embedding left = new Embedding(new float[] {-1, 0});
        Embedding up = new Embedding(new float[] {0, 1});
        FailureException failure =
                catchThrowableOfType(FailureException.class, () -> Consensus.of(List.of(right, left, up), THRESHOLD));
        assertThat(failure.metadata()).containsEntry("disagreeing", "0,1,2");
    }

    /** A photo of each, by letter: one person's have a cosine of about 0.6, different people's about 0. */
    private static List<Embedding> people(String who) {
        Random photos = new Random(5);
        return who.chars()
                .mapToObj(person -> {
                    Random face = new Random(person);
                    float[] values = new float[SIZE];
                    for (int i = 0; i < SIZE; i++) {
                        values[i] = (float) (face.nextGaussian() + 0.8 * photos.nextGaussian());
                    }
                    return Embedding.normalise(values);
                })
                .toList();
    }
}
