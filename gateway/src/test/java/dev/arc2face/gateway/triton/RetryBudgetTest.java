package dev.arc2face.gateway.triton;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RetryBudgetTest {
    private final RetryBudget budget = new RetryBudget();

    @Test
    void aReserveAtOnceAndAFifthOfTheCalls() {
        assertThat(spent()).isEqualTo(RetryBudget.RESERVE);

        call(50);
        assertThat(spent()).isEqualTo(10);
    }

    @Test
    void isNeverMoreThanTheReserve() {
        call(100_000);
        assertThat(spent()).isEqualTo(RetryBudget.RESERVE);
    }

    private void call(int times) {
        for (int i = 0; i < times; i++) {
            budget.called();
        }
    }

    private int spent() {
        int spent = 0;
        while (budget.spend()) {
            spent++;
        }
        return spent;
    }
}
