"""What is made of a round's outcomes."""

import pytest

from loadtest.faults.__main__ import summary
from loadtest.faults.callers import Outcome
from loadtest.faults.loss import AWAY, Loss
from loadtest.faults.rounds import Round, judged

CALM = [Outcome(b"one", (0.0, 0.1, 0.2, 0.4), 0.4), Outcome(b"two", (0.0, 0.1, 0.2, 0.3), 0.3)]


def test_affected_is_who_waited_longer_than_anybody_undisturbed() -> None:
    slowed = Outcome(b"one", (0.0, 0.1, 1.2, 1.3), 1.3)
    usual = Outcome(b"two", (0.0, 0.1, 0.2, 0.4), 0.4)
    judgement = judged(CALM, [slowed, usual], 2, "kill", 0.5, struck=0.6)
    assert judgement.added == pytest.approx([1.0])  # of 1.1 s, where a step takes 0.1 s
    assert (judgement.failed, judgement.different, judgement.in_flight) == (0, 0, 1)
    assert judgement.unnoticed


def test_failures_and_other_bytes_are_noticed() -> None:
    failed = Outcome(b"", (0.0,), 0.2, "UNAVAILABLE MODEL_SERVER_UNAVAILABLE")
    other = Outcome(b"three", (0.0, 0.1, 0.2, 0.3), 0.3)
    judgement = judged(CALM, [failed, other], 2, "kill", 0.5, struck=0.1)
    assert (judgement.failed, judgement.different) == (1, 1)
    assert not judgement.unnoticed


@pytest.mark.parametrize(
    ("outcomes", "refusal", "recovered", "survived"),
    [
        ([AWAY], AWAY, True, True),
        ([AWAY], AWAY, False, False),
        ([AWAY], "DEADLINE_EXCEEDED", True, False),
        ([AWAY, "DEADLINE_EXCEEDED"], AWAY, True, False),
        (["OK"], AWAY, True, False),
    ],
)
def test_loss_of_all_is_survived_if_everybody_is_told_and_it_serves_again(
    outcomes: list[str], refusal: str, recovered: bool, survived: bool
) -> None:
    assert Loss(2, outcomes, 10, refusal, 0.1, 3, recovered).survived is survived


def test_summary_has_a_line_for_each_fault_and_number_of_replicas() -> None:
    rounds = [Round(n, fault, 0.5, 32, 30, 0, 0, [0.5]) for n in (2, 3) for fault in ("kill", "restart")]
    lines = summary([*rounds, Round(3, "restart", 0.7, 32, 20, 1, 2, [0.7, 2.0])], []).splitlines()
    assert len(lines) == 2 + 4
    assert lines[-1] == "| 3 | restart | 2 | 64 | 50 | 1 | 2 | 3 | 0.70 s | 2.00 s |"
