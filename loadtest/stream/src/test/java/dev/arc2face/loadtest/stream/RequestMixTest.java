package dev.arc2face.loadtest.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.GetModelInfoResponse;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RequestMixTest {
    private static final GetModelInfoResponse SERVED = GetModelInfoResponse.newBuilder()
            .setEmbeddingSize(256)
            .setRecogniserId("one")
            .build();
    private final Mix mix = new Mix();

    @Test
    void everyCombinationComesEquallyOften() {
        mix.steps = List.of(10, 25, 50);
        mix.images = List.of(1, 2, 4);
        mix.deadlines = List.of(Duration.ZERO, Duration.ofSeconds(3));
        assertThat(calls(180)
                        .collect(Collectors.groupingBy(
                                call -> List.of(call.request().getSteps(), call.images(), call.deadline() == null),
                                Collectors.counting()))
                        .values())
                .hasSize(18)
                .containsOnly(10L);
    }

    @Test
    void randomOrderDrawsEachValueByItself() {
        mix.steps = List.of(10, 25, 50);
        mix.order = Mix.Order.RANDOM;
        List<Integer> steps = calls(300).map(call -> call.request().getSteps()).toList();
        assertThat(steps)
                .contains(10, 25, 50)
                .isNotEqualTo(calls(600)
                        .skip(300)
                        .map(call -> call.request().getSteps())
                        .toList());
        assertThat(steps.stream().filter(n -> n == 10).count()).isBetween(70L, 130L);
    }

    @Test
    void embeddingsAreOfUnitLengthAndAllDifferent() {
        List<Embedding> embeddings = calls(50)
                .map(call -> call.request().getIdentity().getEmbedding())
                .toList();
        assertThat(embeddings).doesNotHaveDuplicates().allSatisfy(embedding -> {
            assertThat(embedding.getRecogniserId()).isEqualTo("one");
            assertThat(embedding.getValuesList()).hasSize(256);
            assertThat(embedding.getValuesList().stream()
                            .mapToDouble(value -> value * value)
                            .sum())
                    .isCloseTo(1, within(1e-5));
        });
    }

    @Test
    void noTwoPortraitsHaveTheSameSeed() {
        mix.images = List.of(16);
        assertThat(calls(1000)
                        .flatMapToLong(call ->
                                LongStream.range(0, 16).map(i -> (call.request().getSeed() + i) & 0xFFFF_FFFFL)))
                .doesNotHaveDuplicates();
    }

    @Test
    void aShareOfTheCallsIsCancelled() {
        mix.cancelAfterSteps = 3;
        mix.cancelShare = 0.25;
        assertThat(calls(1000).filter(call -> call.cancelAfterSteps() == 3).count())
                .isBetween(200L, 300L);
    }

    @Test
    void photosComeInTurn() {
        List<ByteString> photos = List.of(ByteString.copyFromUtf8("a"), ByteString.copyFromUtf8("b"));
        assertThat(LongStream.range(0, 3)
                        .mapToObj(new RequestMix(mix, SERVED, photos)::call)
                        .map(call -> call.request().getIdentity().getPhoto().toStringUtf8()))
                .containsExactly("a", "b", "a");
    }

    @Test
    void sameSeedAsksForTheSame() {
        assertThat(calls(20).toList()).isEqualTo(calls(20).toList());
        List<PlannedCall> before = calls(20).toList();
        mix.seed = 2;
        assertThat(calls(20).toList()).doesNotContainAnyElementsOf(before);
    }

    private Stream<PlannedCall> calls(int count) {
        return LongStream.range(0, count).mapToObj(new RequestMix(mix, SERVED, List.of())::call);
    }
}
