"""Two Tritons behind one gateway against one, in turns (simulated A100s, each with a GPU of its own)."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loadtest.bench import servers, steps
from loadtest.bench.repetition import in_turns, median, spread
from loadtest.bench.section import Line, Section, Table
from loadtest.bench.statistics import Batches

FULL = 16  # rows
LEAST_SPEEDUP, LEAST_FULL = 1.95, 0.9


@dataclass(frozen=True)
class Plan:
    pairs: int = 5
    callers: int = 48
    seconds: float = 8
    warm_rounds: int = 3


def measure(plan: Plan, work: Path) -> Section:
    """Both gateways are up all the time; a Triton without calls does nothing."""
    running = f"-Darc2face.limits.max-running={plan.callers}"
    models = servers.repository("simulated", work)
    with (
        servers.triton(models, work) as first,
        servers.triton(models, work) as second,
        servers.gateway([first], work, running) as one,
        servers.gateway([first, second], work, running) as two,
    ):
        for served in (one, two):
            steps.warm(served, plan.warm_rounds, plan.seconds)
        full = []

        def run(served: servers.Served) -> float:
            """Steps a second."""
            before = [Batches.read(triton, "unet") for triton in served.tritons]
            expected = 80 * len(served.tritons)
            rate = steps.measure(served, plan.callers, plan.seconds, expected).steps_per_second
            after = [Batches.read(triton, "unet") for triton in served.tritons]
            made = [now.since(then) for now, then in zip(after, before, strict=True)]
            if served is two:
                full.append(min(batches.share_of_rows(FULL) for batches in made))
            return rate

        pairs = in_turns(plan.pairs, {2: partial(run, two), 1: partial(run, one)})
    speedups = [pair[2] / pair[1] for pair in pairs]
    lines = [
        Line(
            f"Steps a second of two replicas against one, {plan.callers} callers (simulated A100s)",
            f"at least {LEAST_SPEEDUP} times",
            spread(speedups),
            median(speedups) >= LEAST_SPEEDUP,
        ),
        Line(
            "Rows that two replicas computed in full batches",
            f"at least {LEAST_FULL:.0%}, at the replica with fewer",
            f"{median(full):.1%}",
            median(full) >= LEAST_FULL,
        ),
    ]
    table = Table(
        "Steps a second",
        ("pair", "one", "two", "ratio"),
        [(str(i + 1), f"{p[1]:.1f}", f"{p[2]:.1f}", f"{p[2] / p[1]:.3f}") for i, p in enumerate(pairs)],
    )
    return Section("Two replicas", __doc__ or "", lines, [table], raw={"pairs": pairs, "full": full})
