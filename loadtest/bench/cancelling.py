"""Callers who give up after some steps, at rising concurrency (simulated A100): what is still computed for them.

The rows that Triton counted are compared with the steps that the callers had seen when they cancelled.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import servers
from loadtest.bench.section import Line, Section, Table
from loadtest.bench.statistics import Batches

CANCEL_AFTER = 3
ROWS = 2  # of a guided picture


@dataclass(frozen=True)
class Plan:
    callers: Sequence[int] = (1, 4, 16, 64)
    calls_each: int = 6


def measure(plan: Plan, work: Path) -> Section:
    lines, rows, raw = [], [], {}
    with servers.stack("simulated", work, f"-Darc2face.limits.max-running={max(plan.callers)}") as served:
        for callers in plan.callers:
            before = Batches.read(served.triton, "unet")
            calls = callers * plan.calls_each
            run = servers.stream(
                *(served.target, work, "--callers", str(callers), "--requests", str(calls), "--steps", "25"),
                *("--cancel-after-steps", str(CANCEL_AFTER)),
            )
            # The report may be here before Triton's last batch: two steps of everybody is more than any.
            steps = settled(served.triton, before).rows / ROWS
            (cancelled,) = run["outcomes"]
            further = (steps - cancelled["picture_steps"]) / cancelled["calls"]
            lines.append(
                Line(
                    f"Steps computed after a caller cancelled, {callers} callers at once",
                    "at most one each",
                    f"{further:.2f} each, on average over {cancelled['calls']} calls",
                    further <= 1,
                )
            )
            rows.append(
                (str(callers), str(cancelled["calls"]), str(cancelled["picture_steps"]), f"{steps:.0f}")
            )
            raw[callers] = {"run": run, "steps": steps}
    table = Table("", ("callers", "cancelled calls", "steps that they saw", "steps computed"), rows)
    return Section("Cancelling", __doc__ or "", lines, [table], raw=raw)


def settled(target: str, before: Batches) -> Batches:
    """What Triton has counted once it counts no more."""
    last = Batches.read(target, "unet")
    while True:
        time.sleep(0.5)  # longer than a batch
        now = Batches.read(target, "unet")
        if now == last:
            return now.since(before)
        last = now
