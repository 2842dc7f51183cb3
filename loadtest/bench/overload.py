"""More requests than there is capacity for (simulated A100), in an open loop with photos: what is refused is refused at
once and says when to come back, and what is admitted is worked off as fast as without the crowd.

Capacity is the rate at which picture steps end while callers in a closed loop keep the queue full. The requests ask for
10, 25 or 50 steps. The gateway has a heap of 512 MiB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bench import servers
from loadtest.bench.section import Line, Plot, Section, Table

RUNNING, QUEUED = 16, 16
LEAST_GOODPUT, MOST_REFUSAL_MS, MOST_OF_PREDICTED = 0.9, 50, 1.5
REFUSAL_PERCENTILE = {2: "p99", 5: "p95"}


@dataclass(frozen=True)
class Plan:
    """Seconds of each run that are measured, after a warm-up in which the queue fills."""

    seconds: float = 40
    warm_up: float = 12
    factors: Sequence[int] = (2, 5)


def measure(plan: Plan, work: Path) -> Section:
    limits = (f"-Darc2face.limits.max-running={RUNNING}", f"-Darc2face.limits.max-queued={QUEUED}")
    usual = [
        *("--steps", servers.MIXED_STEPS, "--photos", str(servers.ROOT / "samples")),
        *("--warm-up", servers.duration(plan.warm_up), "--duration", servers.duration(plan.seconds)),
    ]
    with servers.stack("simulated", work, "-Xmx512m", *limits) as served:
        servers.stream(served.target, work, "--callers", "4", "--steps", "10", "--duration", "5s")
        peak = servers.stream(served.target, work, "--callers", str(RUNNING + QUEUED // 2), *usual)
        capacity = peak["throughput"]["picture_steps_per_second"]
        calls_per_second = capacity / servers.MEAN_STEPS
        loads = {}
        for factor in plan.factors:
            rate = f"{factor * calls_per_second:.3f}"
            loads[factor] = servers.stream(served.target, work, "--rate", rate, *usual)
        survived = "OutOfMemoryError" not in served.log.read_text(errors="replace")
    return report(plan, peak, loads, survived)


def report(
    plan: Plan, peak: Mapping[str, Any], loads: Mapping[int, Mapping[str, Any]], survived: bool
) -> Section:
    capacity = peak["throughput"]["picture_steps_per_second"]
    lines, rows = [], []
    for factor, load in loads.items():
        goodput = load["throughput"]["good_picture_steps_per_second"] / capacity
        refused, percentile = load["micros"]["refused"], REFUSAL_PERCENTILE[factor]
        refusal_ms, late_ms = refused[percentile] / 1000, load["micros"]["generator_delay"][percentile] / 1000
        calls = sum(entry["calls"] for entry in load["outcomes"])
        refusals = [entry for entry in load["outcomes"] if entry["code"] == "RESOURCE_EXHAUSTED"]
        infos, count = (sum(entry[key] for entry in refusals) for key in ("retry_infos", "calls"))
        excess = {
            steps: load["total_micros_by_steps"][str(steps)]["p95"] / 1e6 / predicted(steps, peak)
            for steps in servers.STEPS
            if load["total_micros_by_steps"].get(str(steps), {}).get("count")
        }
        lines += [
            Line(
                f"Goodput at {factor}x capacity (simulated A100)",
                f"at least {LEAST_GOODPUT:.0%} of the peak",
                f"{goodput:.1%}",
                goodput >= LEAST_GOODPUT,
            ),
            Line(
                f"Refusals at {factor}x capacity, {percentile} from the intended start of the call",
                f"within {MOST_REFUSAL_MS} ms",
                f"{refusal_ms:.1f} ms (the load generator itself was late by {late_ms:.1f} ms)",
                refusal_ms <= MOST_REFUSAL_MS,
            ),
            Line(
                f"Refusals at {factor}x capacity that say when to come back",
                "all",
                f"{infos} of {count}",
                infos == count,
            ),
            Line(
                f"Admitted calls at {factor}x capacity, p95 against what rows in flight and queue predict",
                f"at most {MOST_OF_PREDICTED} times",
                ", ".join(f"{steps} steps {ratio:.2f}" for steps, ratio in excess.items()),
                max(excess.values()) <= MOST_OF_PREDICTED,
            ),
        ]
        rows.append(
            (
                f"{factor}x",
                str(calls),
                str(count),
                f"{load['throughput']['good_picture_steps_per_second']:.1f}",
                *(f"{refused[p] / 1000:.1f}" for p in ("p50", "p95", "p99")),
                f"{load['micros']['retry_delay']['p50'] / 1e6:.1f}",
            )
        )
    lines.append(
        Line(
            "The gateway with a heap of 512 MiB",
            "does not run out of memory",
            "none" if survived else "it did",
            survived,
        )
    )
    table = Table(
        f"Peak {capacity:.1f} picture steps a second; refusals in ms, the delay of `RetryInfo` in s",
        ("load", "calls", "refused", "good picture steps/s", "p50", "p95", "p99", "RetryInfo p50"),
        rows,
    )
    plot = Plot(
        "Goodput under overload (simulated A100)",
        "load as a multiple of capacity",
        "picture steps a second",
        {
            "goodput": [
                (1, capacity),
                *((f, load["throughput"]["good_picture_steps_per_second"]) for f, load in loads.items()),
            ]
        },
    )
    raw = {"peak": peak, "loads": loads}
    return Section("Overload", __doc__ or "", lines, [table], [plot], raw)


def predicted(steps: int, peak: Mapping[str, Any]) -> float:
    """Seconds that a call waits and runs when all places are taken.

    At the peak the rows in flight are as many as under overload: a call's steps come at the peak's pace, and before
    them all that is queued starts, one after the other.
    """
    between = peak["micros"]["between_steps"]["mean"] / 1e6
    calls_per_second = peak["throughput"]["picture_steps_per_second"] / servers.MEAN_STEPS
    before_and_after = peak["micros"]["first_progress"]["min"] / 1e6
    return QUEUED / calls_per_second + steps * between + before_and_after
