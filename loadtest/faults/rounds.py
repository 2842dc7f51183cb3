"""A fault in the middle of a run."""

import random
import signal
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadtest.faults.callers import Callers, Outcome
from loadtest.faults.replica import Replica


@dataclass(frozen=True)
class Round:
    """A fault and what came of it; seconds."""

    replicas: int
    fault: str
    at: float
    generations: int
    in_flight: int  # when it struck
    failed: int
    different: int
    added: Sequence[float]  # to a step of each caller who waited longer than anybody undisturbed

    @property
    def unnoticed(self) -> bool:
        return not self.failed and not self.different


def kill(replicas: Sequence[Replica], victim: int) -> None:
    replicas[victim].signal(signal.SIGKILL)


def freeze(replicas: Sequence[Replica], victim: int) -> None:
    replicas[victim].signal(signal.SIGSTOP)


def restart(replicas: Sequence[Replica], victim: int) -> None:
    """One after the other, as a new version is rolled out."""
    for replica in (*replicas[victim:], *replicas[:victim]):
        replica.restart()


FAULTS: dict[str, Callable[[Sequence[Replica], int], None]] = {
    "kill": kill,
    "freeze": freeze,
    "restart": restart,
}


def disturb(
    run: Callers, calm: Sequence[Outcome], replicas: Sequence[Replica], fault: str, randomness: random.Random
) -> Round:
    """One round: the fault strikes at an instant of the run, and is made good afterwards."""
    at = randomness.uniform(0, max(o.ended for o in calm) - min(o.instants[0] for o in calm))
    victim = randomness.randrange(len(replicas))
    struck = []

    def strike() -> None:
        time.sleep(at)
        struck.append(time.monotonic())
        FAULTS[fault](replicas, victim)

    outcomes = run(strike)
    if fault != "restart":
        replicas[victim].signal(signal.SIGKILL)
        replicas[victim].restart()
    run.await_service()
    return judged(calm, outcomes, len(replicas), fault, at, struck[0])


def judged(
    calm: Sequence[Outcome],
    outcomes: Sequence[Outcome],
    replicas: int,
    fault: str,
    at: float,
    struck: float,
) -> Round:
    """A caller is affected if it waited longer for an event than anybody did undisturbed; what is added to its step is
    what it waited beyond the usual time of a step."""
    usual = statistics.median(gap for o in calm for gap in o.gaps)
    longest = max(gap for o in calm for gap in o.gaps)
    waits = [max(o.gaps) for o in outcomes if not o.failure]
    return Round(
        replicas,
        fault,
        at,
        len(outcomes),
        sum(o.ended > struck for o in outcomes),
        sum(bool(o.failure) for o in outcomes),
        sum(not o.failure and o.picture != c.picture for o, c in zip(outcomes, calm, strict=True)),
        [wait - usual for wait in waits if wait > longest],
    )
