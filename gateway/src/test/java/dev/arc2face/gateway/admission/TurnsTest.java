package dev.arc2face.gateway.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TurnsTest {
    private final Turns<String> turns = new Turns<>();

    @Test
    void callersTakeTurnsAndKeepTheirOwnOrder() {
        add("a1", "a2", "a3", "b1", "c1", "b2");
        List<String> expected = List.of("a1", "b1", "c1", "a2", "b2", "a3");
        assertThat(turns.inOrder()).isEqualTo(expected);
        assertThat(takeAll()).isEqualTo(expected);
    }

    @Test
    void newcomerComesBeforeTheSecondTurnOfWhoeverHasMoreWaiting() {
        add("a1", "a2", "a3");
        assertThat(turns.poll()).isEqualTo("a1");
        add("b1");
        assertThat(turns.inOrder()).containsExactly("a2", "b1", "a3");
    }

    @Test
    void callerWhoseTurnHasJustBeenWaitsForTheOthers() {
        add("a1", "b1", "c1");
        assertThat(turns.poll()).isEqualTo("a1");
        add("a2");
        assertThat(takeAll()).containsExactly("b1", "c1", "a2");
    }

    @Test
    void oneThatLeavesTakesNobodysTurn() {
        add("a1", "a2", "b1", "b2");
        assertThat(turns.remove("a", "a1")).isTrue();
        assertThat(turns.remove("a", "a1")).isFalse();
        assertThat(turns.remove("nobody", "a1")).isFalse();
        assertThat(turns.size()).isEqualTo(3);
        assertThat(turns.peek()).isEqualTo("a2");
        assertThat(takeAll()).containsExactly("a2", "b1", "b2");
    }

    @Test
    void emptyOneHasNoNext() {
        assertThat(turns.peek()).isNull();
        assertThat(turns.poll()).isNull();
        assertThat(turns.inOrder()).isEmpty();
    }

    /** The caller is the entry's first letter. */
    private void add(String... entries) {
        for (String entry : entries) {
            turns.add(entry.substring(0, 1), entry);
        }
    }

    private List<String> takeAll() {
        List<String> taken = new ArrayList<>();
        for (String next = turns.poll(); next != null; next = turns.poll()) {
            taken.add(next);
        }
        return taken;
    }
}
