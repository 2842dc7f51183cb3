"""Callers who give up after some steps, at rising concurrency (simulated A100): what is still computed for them.

The rows that Triton counted are compared with the steps that the callers had seen when they cancelled.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from evaluation.api import Gateway, message
from loadtest.bench import servers, steps
from loadtest.bench.section import Line, Section, Table, number_of
from loadtest.bench.statistics import Batches

STEPS, CANCEL_AFTER = 25, 3
ROWS = 2  # of a guided picture


@dataclass(frozen=True)
class Plan:
    callers: Sequence[int] = (1, 4, 16, 64)
    calls_each: int = 6
    least_calls: int = 24


def measure(plan: Plan, work: Path) -> Section:
    lines, rows, raw = [], [], {}
    with servers.stack("simulated", work, f"-Darc2face.limits.max-running={max(plan.callers)}") as served:
        for callers in plan.callers:
            cancel(served.target, callers, callers)  # so that neither side does it for the first time
            before = settled(served.triton)
            calls = max(plan.least_calls, callers * plan.calls_each)
            seen = cancel(served.target, callers, calls)
            computed = settled(served.triton).since(before).rows / ROWS
            further = (computed - seen) / calls
            lines.append(
                Line(
                    f"Steps computed after a caller cancelled, {number_of(callers)} at once",
                    "at most one each",
                    f"{further:.2f} each, on average over {calls} calls",
                    further <= 1,
                )
            )
            rows.append((str(callers), str(calls), str(seen), f"{computed:.0f}"))
            raw[callers] = {"calls": calls, "seen": seen, "computed": computed}
    table = Table("", ("callers", "cancelled calls", "steps that they saw", "steps computed"), rows)
    return Section("Cancelling", __doc__ or "", lines, [table], raw=raw)


def cancel(target: str, callers: int, calls: int) -> int:
    """Makes so many calls, each cancelled when its caller hears of step CANCEL_AFTER; returns the steps heard of."""
    with Gateway(target) as gateway, ThreadPoolExecutor(callers) as pool:
        info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))

        def call(number: int) -> int:
            seen, events = 0, gateway.generate(steps.request(info, number, STEPS))
            while seen < CANCEL_AFTER:
                seen += next(events).HasField("step_progress")
            events.cancel()
            return seen

        return sum(pool.map(call, range(calls)))


def settled(target: str) -> Batches:
    """What Triton has counted once it counts no more."""
    last = Batches.read(target, "unet")
    while True:
        time.sleep(0.5)  # longer than a batch
        now = Batches.read(target, "unet")
        if now == last:
            return now
        last = now
