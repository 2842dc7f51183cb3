package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class HeldResultsTest {
    private static final Generations.Key MINE_1 = new Generations.Key("me", "1");
    private static final Generations.Key MINE_2 = new Generations.Key("me", "2");
    private static final Generations.Key YOURS = new Generations.Key("you", "1");

    private final HeldResults held = new HeldResults(10, 15);

    @Test
    void theCallersOldestGoFirst() {
        hold(MINE_1, 4);
        hold(YOURS, 5);
        hold(MINE_2, 5);
        assertThat(held.makeRoom("me", 1)).isEmpty();
        assertThat(held.makeRoom("me", 2)).containsExactly(MINE_1);
        assertThat(held.makeRoom("me", 10)).containsExactly(MINE_2);
        assertThat(held.makeRoom("you", 10)).containsExactly(YOURS);
    }

    @Test
    void thenTheOldestOfAll() {
        hold(YOURS, 8);
        hold(MINE_1, 3);
        assertThat(held.makeRoom("them", 4)).isEmpty();
        assertThat(held.makeRoom("them", 5)).containsExactly(YOURS);
        assertThat(held.makeRoom("them", 10)).isEmpty();
    }

    @Test
    void whatIsLargerThanTheRoomFitsNever() {
        assertThat(held.fits(10)).isTrue();
        assertThat(held.fits(11)).isFalse();
        assertThat(new HeldResults(10, 5).fits(6)).isFalse();
    }

    @Test
    void whateverLeavesIsNotExpectedToExpire() {
        List<Future<?>> expiries =
                List.of(new CompletableFuture<>(), new CompletableFuture<>(), new CompletableFuture<>());
        held.add(MINE_1, 6, expiries.get(0));
        held.add(MINE_2, 1, expiries.get(1));
        held.add(YOURS, 1, expiries.get(2));
        assertThat(held.makeRoom("me", 9)).containsExactly(MINE_1);
        held.remove(MINE_2);
        assertThat(expiries).extracting(Future::isCancelled).containsExactly(true, true, false);
    }

    @Test
    void whatHasLeftMakesRoomOnce() {
        hold(MINE_1, 10);
        held.remove(MINE_1);
        held.remove(MINE_1);
        hold(MINE_2, 10);
        assertThat(held.makeRoom("me", 1)).containsExactly(MINE_2);
    }

    private void hold(Generations.Key name, long bytes) {
        held.add(name, bytes, new CompletableFuture<>());
    }
}
