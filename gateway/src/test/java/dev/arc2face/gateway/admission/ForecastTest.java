package dev.arc2face.gateway.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Collections;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ForecastTest {
    private static final Offset<Double> EXACTLY = within(1e-9);

    /** A second a call for each row in flight. */
    private static final List<CallTime> BY_ROW = List.of(new CallTime(0, 1));

    @Test
    void oneAloneTakesAllItsCallsAtItsOwnRows() {
        Remaining lone = new Remaining(3, 0, 10, 2, 5, 1, 4);
        Forecast forecast = Forecast.of(BY_ROW, 0, 1, List.of(lone), List.of());
        assertThat(forecast.endOfRunning(0)).isEqualTo(3 + 10 * 2 + 5 * 1 + 4, EXACTLY);
    }

    @Test
    void rowsOfOthersSlowDownUntilTheyEnd() {
        // Two rows each: a call takes 4 s for both, until the shorter one ends after 4 s * 3; then 2 s.
        Forecast forecast = Forecast.of(BY_ROW, 0, 2, List.of(calls(3, 2), calls(5, 2)), List.of());
        assertThat(forecast.endOfRunning(0)).isEqualTo(12, EXACTLY);
        assertThat(forecast.endOfRunning(1)).isEqualTo(12 + 2 * 2, EXACTLY);
    }

    @Test
    void stretchesWithoutCallsPutNoRowsInFlight() {
        Remaining encoding = new Remaining(10, 0, 0, 2, 0, 1, 0);
        Forecast forecast = Forecast.of(BY_ROW, 0, 2, List.of(calls(3, 2), encoding), List.of());
        assertThat(forecast.endOfRunning(0)).isEqualTo(6, EXACTLY);
        assertThat(forecast.endOfRunning(1)).isEqualTo(10, EXACTLY);
    }

    @Test
    void whoWaitsStartsInOrderAsPlacesBecomeFree() {
        // One place: 6 s, then 4 s, then 2 s.
        Forecast forecast = Forecast.of(BY_ROW, 0, 1, List.of(calls(3, 2)), List.of(calls(2, 2), calls(1, 2)));
        assertThat(forecast.start(0)).isEqualTo(6, EXACTLY);
        assertThat(forecast.endOfWaiting(0)).isEqualTo(10, EXACTLY);
        assertThat(forecast.start(1)).isEqualTo(10, EXACTLY);
        assertThat(forecast.endOfWaiting(1)).isEqualTo(12, EXACTLY);
    }

    @Test
    void oneThatStartsSlowsDownThoseThatRun() {
        // Two places, one of them free: 4 s a call for both; the waiting one ends after 8 s, the other after 8 + 2 * 1.
        Forecast forecast = Forecast.of(BY_ROW, 0, 2, List.of(calls(3, 2)), List.of(calls(2, 2)));
        assertThat(forecast.start(0)).isZero();
        assertThat(forecast.endOfWaiting(0)).isEqualTo(8, EXACTLY);
        assertThat(forecast.endOfRunning(0)).isEqualTo(10, EXACTLY);
    }

    @Test
    void noFewerRowsAreInFlightThanOneIsTold() {
        Forecast forecast = Forecast.of(BY_ROW, 8, 1, List.of(calls(3, 2)), List.of());
        assertThat(forecast.endOfRunning(0)).isEqualTo(24, EXACTLY);
    }

    @Test
    void nobodyStartsBeforeThereAreFewerThanThePlaces() {
        Forecast forecast =
                Forecast.of(BY_ROW, 0, 1, List.of(calls(1, 1), calls(2, 1), calls(3, 1)), List.of(calls(1, 1)));
        // 3 s for the first, 2 * 1 s more for the second, 1 s more for the third.
        assertThat(forecast.endOfRunning(2)).isEqualTo(6, EXACTLY);
        assertThat(forecast.start(0)).isEqualTo(6, EXACTLY);
    }

    @Test
    void variantsKeepTheirOwnPaces() {
        List<CallTime> paces = List.of(new CallTime(1, 0), new CallTime(5, 0));
        Forecast forecast =
                Forecast.of(paces, 0, 2, List.of(calls(3, 2), new Remaining(0, 1, 2, 2, 0, 1, 0)), List.of());
        assertThat(forecast.endOfRunning(0)).isEqualTo(3, EXACTLY);
        assertThat(forecast.endOfRunning(1)).isEqualTo(10, EXACTLY);
    }

    @Test
    void hundredThousandWaitingOnesAreNoTrouble() {
        int count = 100_000;
        Forecast forecast = Forecast.of(BY_ROW, 0, 16, List.of(), Collections.nCopies(count, calls(25, 2)));
        assertThat(forecast.endOfWaiting(count - 1)).isCloseTo(25.0 * 2 * count, within(1.0));
    }

    private static Remaining calls(int count, double rows) {
        return new Remaining(0, 0, count, rows, 0, 1, 0);
    }
}
