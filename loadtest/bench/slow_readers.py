"""200 callers who hardly read beside others (simulated A100), against the same 200 reading at once, in turns.

Both want the same of the server, so what the slow ones hold back shows as steps that are not made.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loadtest.bench import servers
from loadtest.bench.repetition import in_turns, median, spread
from loadtest.bench.section import Line, Section, Table
from loadtest.bench.statistics import Batches

READERS = 200
EVERY = {"slow": "1s", "prompt": "20ms"}  # one event
LEAST_RATIO = 0.95


@dataclass(frozen=True)
class Plan:
    pairs: int = 3
    seconds: float = 10
    warm_up: float = 5


def measure(plan: Plan, work: Path) -> Section:
    limits = ("-Darc2face.limits.max-queued=512",)
    with servers.stack("simulated", work, *limits) as served:

        def run(kind: str) -> float:
            """Steps of all callers a second."""
            before = Batches.read(served.triton, "unet")
            report = servers.stream(
                *(served.target, work, "--callers", "8", "--steps", "10", "--slow-readers", str(READERS)),
                *("--slow-read-every", EVERY[kind], "--warm-up", servers.duration(plan.warm_up)),
                *("--duration", servers.duration(plan.seconds), "--drain", "0s"),
            )
            rows = Batches.read(served.triton, "unet").since(before).rows
            return rows / 2 / (report["window_seconds"] + plan.warm_up)

        servers.stream(served.target, work, "--callers", "8", "--steps", "10", "--duration", "5s")
        pairs = in_turns(plan.pairs, {kind: partial(run, kind) for kind in ("prompt", "slow")})
    ratios = [pair["slow"] / pair["prompt"] for pair in pairs]
    line = Line(
        f"Steps a second with {READERS} slow readers, against the same who read at once (simulated A100)",
        f"at least {LEAST_RATIO}",
        spread(ratios),
        median(ratios) >= LEAST_RATIO,
    )
    table = Table(
        "Steps a second of all callers",
        ("pair", "prompt", "slow", "ratio"),
        [
            (
                str(i + 1),
                f"{pair['prompt']:.1f}",
                f"{pair['slow']:.1f}",
                f"{pair['slow'] / pair['prompt']:.3f}",
            )
            for i, pair in enumerate(pairs)
        ],
    )
    return Section("Slow readers", __doc__ or "", [line], [table], raw={"pairs": pairs})
