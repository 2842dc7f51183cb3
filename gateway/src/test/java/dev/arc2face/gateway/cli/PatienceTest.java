package dev.arc2face.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PatienceTest {
    private final List<String> notices = new ArrayList<>();
    private Instant now = Instant.EPOCH;
    private int attempts;

    private Patience patience() {
        return new Patience(Duration.ofMinutes(1), () -> now, notices::add);
    }

    private String failing(int times, Duration each) throws Patience.Passing {
        attempts++;
        now = now.plus(each);
        if (attempts <= times) {
            throw new Patience.Passing(
                    new CommandFailure(ExitCode.BUSY, "all places are taken"), Optional.of(Duration.ofMillis(1)));
        }
        return "done";
    }

    @Test
    void whatPassesSoonIsNotMentioned() throws InterruptedException {
        assertThat(patience().<String>outlast(() -> failing(2, Duration.ofSeconds(1))))
                .isEqualTo("done");
        assertThat(attempts).isEqualTo(3);
        assertThat(notices).isEmpty();
    }

    @Test
    void aLongWaitIsToldOnceAndItsEndToo() throws InterruptedException {
        assertThat(patience().<String>outlast(() -> failing(10, Duration.ofSeconds(5))))
                .isEqualTo("done");
        assertThat(notices).containsExactly("all places are taken; trying for up to 1 min 0 s", "it goes on");
    }

    @Test
    void itEndsWithTheLastFailureWhenNothingSucceeds() {
        assertThatThrownBy(() -> patience().<String>outlast(() -> failing(1000, Duration.ofSeconds(20))))
                .isInstanceOfSatisfying(
                        CommandFailure.class,
                        failure -> assertThat(failure.exitCode()).isEqualTo(ExitCode.BUSY));
        assertThat(attempts).isEqualTo(3);
    }

    @Test
    void aSuccessElsewhereRenewsIt() throws InterruptedException {
        Patience patience = patience();
        for (int i = 0; i < 5; i++) {
            attempts = 0;
            assertThat(patience.<String>outlast(() -> failing(1, Duration.ofSeconds(25))))
                    .isEqualTo("done");
        }
    }
}
