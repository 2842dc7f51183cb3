package dev.arc2face.gateway.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.arc2face.gateway.dataset.DatasetException.Problem;
import dev.arc2face.gateway.face.Embedding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentitiesTest {
    private static final int SIZE = 256;
    private static final double ANGLE = 60;

    @TempDir
    private static Path folder;

    private static IdentityPrior prior;
    private static JsonObject report;

    @BeforeAll
    static void fittedByPython() throws IOException {
        Path file = folder.resolve("prior.npz").toAbsolutePath();
        report = JsonParser.parseString(String.join(
                        "\n",
                        Python.run(
                                "-m",
                                "training.identity_prior",
                                "--embeddings",
                                Python.heldOut().toString(),
                                "--out",
                                file.toString())))
                .getAsJsonObject();
        prior = IdentityPrior.read("prior", Files.readAllBytes(file));
    }

    private static Identities draw(int count, double angle, long seed, Gallery given) {
        return Identities.draw(prior, count, angle, seed, given);
    }

    private static Gallery nobody() {
        return new Gallery(SIZE);
    }

    private static List<float[]> values(Identities identities) {
        return identities.embeddings().stream().map(Embedding::values).toList();
    }

    private static double degrees(Embedding a, Embedding b) {
        return Math.toDegrees(Math.acos(a.similarityTo(b)));
    }

    @Test
    void thePriorIsThatOfPython() {
        assertThat(prior.recogniserId()).isEqualTo("mobileface-human-models-3.0.4");
        assertThat(prior.embeddingSize()).isEqualTo(SIZE);
        assertThat(prior.factors()).hasSize(report.get("components").getAsInt());
    }

    @Test
    void drawsAreAsNearToEachOtherAsNumPysDrawsFromTheSamePrior() {
        List<Embedding> drawn = draw(1000, 0.001, 1, nobody()).embeddings();
        double[] cosines = new double[1000 * 999 / 2];
        int pair = 0;
        for (int i = 0; i < drawn.size(); i++) {
            for (int j = 0; j < i; j++) {
                cosines[pair++] = drawn.get(i).similarityTo(drawn.get(j));
            }
        }
        Arrays.sort(cosines);
        JsonObject expected = report.getAsJsonObject("cosines of draws");
        assertThat(Arrays.stream(cosines).average().orElseThrow())
                .isCloseTo(expected.get("mean").getAsDouble(), within(0.02));
        assertThat(cosines[cosines.length / 20]).isCloseTo(expected.get("5%").getAsDouble(), within(0.03));
        assertThat(cosines[cosines.length * 19 / 20])
                .isCloseTo(expected.get("95%").getAsDouble(), within(0.03));
    }

    @Test
    void anyTwoAreAtLeastTheAngleApartAndTheNearestPairIsTold() {
        Identities identities = draw(200, ANGLE, 7, nobody());
        double nearest = 180;
        List<Embedding> people = identities.embeddings();
        for (int i = 0; i < people.size(); i++) {
            for (int j = 0; j < i; j++) {
                nearest = Math.min(nearest, degrees(people.get(i), people.get(j)));
            }
        }
        assertThat(nearest).isGreaterThan(ANGLE - 1e-3).isLessThan(ANGLE + 2);
        assertThat(Math.toDegrees(Math.acos(identities.nearest()))).isCloseTo(nearest, within(1e-2));
    }

    @Test
    void noneIsNearAGivenPerson() {
        Gallery given = nobody();
        List<Embedding> people = new ArrayList<>();
        draw(20, ANGLE, 7, nobody()).embeddings().forEach(person -> {
            given.add(person);
            people.add(person);
        });
        Identities identities = draw(50, ANGLE, 7, given); // the same seed: it would have drawn these very people
        for (Embedding identity : identities.embeddings()) {
            assertThat(people)
                    .allSatisfy(person -> assertThat(degrees(person, identity)).isGreaterThan(ANGLE - 1e-3));
        }
        assertThat(identities.nearestGiven()).isBetween(0f, 0.5f);
    }

    @Test
    void theSeedDecidesAndMoreBeginWithTheSame() {
        List<float[]> some = values(draw(10, ANGLE, 3, nobody()));
        List<float[]> more = values(draw(30, ANGLE, 3, nobody()));
        List<float[]> others = values(draw(10, ANGLE, 4, nobody()));
        for (int i = 0; i < some.size(); i++) {
            assertThat(more.get(i)).containsExactly(some.get(i));
            assertThat(others.get(i)).isNotEqualTo(some.get(i));
        }
    }

    @Test
    void whereThereIsNoRoomItIsSaid() {
        assertThatThrownBy(() -> draw(5, 150, 0, nobody()))
                .isInstanceOfSatisfying(
                        DatasetException.class,
                        failure -> assertThat(failure.problem()).isEqualTo(Problem.IDENTITIES_TOO_CLOSE))
                .hasMessageContaining("identity 1");
    }

    @Test
    void whatIsNoPriorIsSaidToBeNone() throws IOException {
        byte[] embeddings = Files.readAllBytes(Python.heldOut());
        for (byte[] content : List.of(new byte[0], embeddings)) {
            assertThatThrownBy(() -> IdentityPrior.read("a file", content))
                    .isInstanceOfSatisfying(
                            DatasetException.class,
                            failure -> assertThat(failure.problem()).isEqualTo(Problem.PRIOR_UNREADABLE));
        }
    }

    @Test
    void aGallerysCosinesAreThoseOfPairs() {
        List<Embedding> people = draw(300, 0.001, 5, nobody()).embeddings(); // more than a block of a gallery
        Gallery gallery = nobody();
        people.subList(0, 299).forEach(gallery::add);
        Embedding last = people.get(299);
        double expected = people.subList(0, 299).stream()
                .mapToDouble(last::similarityTo)
                .max()
                .orElseThrow();
        assertThat((double) gallery.largestCosine(last)).isCloseTo(expected, within(1e-6));
        float[] largest = new float[299];
        gallery.raise(largest, last);
        gallery.raise(largest, people.get(17));
        for (int i = 0; i < largest.length; i++) {
            double nearer = Math.max(
                    0, Math.max(people.get(i).similarityTo(last), people.get(i).similarityTo(people.get(17))));
            assertThat((double) largest[i]).isCloseTo(nearer, within(1e-6));
        }
    }

    @Test
    void shardsAreDisjointAndTheWholeTogether() {
        for (int count = 1; count <= 7; count++) {
            List<Integer> together = new ArrayList<>();
            for (int index = 1; index <= count; index++) {
                new Shard(index, count).of(23).forEach(together::add);
            }
            assertThat(together)
                    .containsExactlyInAnyOrderElementsOf(
                            Shard.WHOLE.of(23).boxed().toList());
        }
    }
}
