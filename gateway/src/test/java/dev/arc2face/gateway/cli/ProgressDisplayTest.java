package dev.arc2face.gateway.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProgressDisplayTest {
    private static final String ERASE = "\r\u001b[2K";

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream stream = new PrintStream(bytes, true, UTF_8);
    private Instant now = Instant.EPOCH;

    private ProgressDisplay display(boolean live) {
        return new ProgressDisplay(stream, live, () -> now, "step");
    }

    private String written() {
        String text = bytes.toString(UTF_8);
        bytes.reset();
        return text;
    }

    @Test
    void aTerminalHasOneLineThatIsRedrawn() {
        ProgressDisplay display = display(true);
        display.step(1, 4, Duration.ofSeconds(6));
        assertThat(written()).isEqualTo("[######------------------] step 1/4, 6.0 s left");
        display.step(2, 4, Duration.ofSeconds(4));
        assertThat(written()).isEqualTo(ERASE + "[############------------] step 2/4, 4.0 s left");
    }

    @Test
    void remainingTimeCountsDownBetweenEventsAndNeverBelowNothing() {
        ProgressDisplay display = display(true);
        display.step(1, 2, Duration.ofSeconds(3));
        written();
        now = now.plusMillis(1250);
        display.tick();
        assertThat(written()).endsWith("step 1/2, 1.8 s left");
        now = now.plusSeconds(10);
        display.tick();
        assertThat(written()).endsWith("step 1/2, 0.0 s left");
        display.tick();
        assertThat(written()).isEmpty();
    }

    @Test
    void whatIsPrintedAboveKeepsTheLiveLineLast() {
        ProgressDisplay display = display(true);
        display.step(2, 2, Duration.ofSeconds(1));
        written();
        display.above(() -> stream.print("picture\n"));
        assertThat(written()).isEqualTo(ERASE + "picture\n[########################] step 2/2, 1.0 s left");
        display.close();
        assertThat(written()).isEqualTo(ERASE);
        display.above(() -> stream.print("summary\n"));
        assertThat(written()).isEqualTo("summary\n");
    }

    @Test
    void whoWaitsSeesItsPlaceAndTheTimeUntilItBegins() {
        ProgressDisplay display = display(true);
        display.waiting(3, Optional.empty());
        assertThat(written()).isEqualTo("waiting, place 3 in the queue");
        display.waiting(2, Optional.of(Duration.ofSeconds(8)));
        assertThat(written()).isEqualTo(ERASE + "waiting, place 2 in the queue, about 8.0 s");
        now = now.plusSeconds(2);
        display.tick();
        assertThat(written()).endsWith("about 6.0 s");
        display.begin();
        assertThat(written()).isEqualTo(ERASE);
        display.tick();
        assertThat(written()).isEmpty();
    }

    @Test
    void aFileHasALineWhenWaitingBeginsAndAfterLongWaiting() {
        ProgressDisplay display = display(false);
        display.waiting(3, Optional.empty());
        display.waiting(2, Optional.empty());
        now = now.plusSeconds(15);
        display.waiting(1, Optional.empty());
        display.begin();
        assertThat(written().lines()).containsExactly("waiting, place 3 in the queue", "waiting, place 1 in the queue");
    }

    @Test
    void aFileHasALineAtEachQuarterAndNoControlCharacters() {
        ProgressDisplay display = display(false);
        for (int step = 1; step <= 20; step++) {
            display.step(step, 20, Duration.ofSeconds(20 - step));
            display.tick();
        }
        display.close();
        assertThat(written().lines().map(line -> line.replaceAll(".*(step \\d+).*", "$1")))
                .containsExactly("step 5", "step 10", "step 15", "step 20");
    }

    @Test
    void aFileHasALineWhenNothingWasSaidForLong() {
        ProgressDisplay display = display(false);
        display.step(1, 100, Duration.ofMinutes(15));
        now = now.plusSeconds(15);
        display.step(2, 100, Duration.ofSeconds(885));
        display.step(3, 100, Duration.ofSeconds(870));
        assertThat(written().lines()).singleElement().asString().endsWith("step 2/100, 14 min 45 s left");
    }
}
