"""Two Tritons behind one gateway against one, in turns (simulated A100s, each with a GPU of its own)."""

from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import servers, steps
from loadtest.bench.section import Line, Section, Table, interval, median
from loadtest.bench.statistics import Batches

CALLERS = 48
FULL = 16  # rows
LEAST_SPEEDUP, LEAST_FULL = 1.95, 0.9


@dataclass(frozen=True)
class Plan:
    pairs: int = 5
    seconds: float = 8
    warm_rounds: int = 3


def measure(plan: Plan, work: Path) -> Section:
    """Both gateways are up all the time; a Triton without calls does nothing."""
    running = f"-Darc2face.limits.max-running={CALLERS}"
    models = servers.repository("simulated", work)
    with (
        servers.triton(models, work) as first,
        servers.triton(models, work) as second,
        servers.gateway([first], work, running) as one,
        servers.gateway([first, second], work, running) as two,
    ):
        for served in (one, two):
            steps.warm(served, plan.warm_rounds, plan.seconds)
        pairs, full = [], []
        for number in range(plan.pairs):
            pair = {}
            for count, served in ((1, one), (2, two)) if number % 2 else ((2, two), (1, one)):
                before = [Batches.read(triton, "unet") for triton in served.tritons]
                pair[count] = steps.measure(served, CALLERS, plan.seconds, 80 * count).steps_per_second
                after = [Batches.read(triton, "unet") for triton in served.tritons]
                made = [now.since(then) for now, then in zip(after, before, strict=True)]
                if count == 2:
                    full.append(min(batches.share_of_rows(FULL) for batches in made))
            pairs.append(pair)
    speedups = [pair[2] / pair[1] for pair in pairs]
    low, high = interval(speedups)
    lines = [
        Line(
            f"Steps a second of two replicas against one, {CALLERS} callers (simulated A100s)",
            f"at least {LEAST_SPEEDUP} times",
            f"{median(speedups):.3f} ({low:.3f} to {high:.3f})",
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
