"""Requests with different deadlines at one and a half times what can be served (simulated A100), in an open loop.

Whoever cannot end in time is refused before anything is computed; whoever is admitted ends in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bench import servers
from loadtest.bench.section import Line, Section, Table

LOAD = 1.5
LEAST_MET, MOST_WASTED = 0.95, 0.02
DEADLINES = "2s,5s,10s,20s,none"


@dataclass(frozen=True)
class Plan:
    seconds: float = 60
    warm_up: float = 10


def measure(plan: Plan, work: Path) -> Section:
    mix = ("--steps", servers.MIXED_STEPS, "--order", "random")
    with servers.stack("simulated", work) as served:
        peak = servers.stream(
            *(served.target, work, "--callers", "24", *mix),
            *("--warm-up", "8s", "--duration", servers.duration(plan.seconds / 3)),
        )
        rate = LOAD * peak["throughput"]["picture_steps_per_second"] / servers.MEAN_STEPS
        load = servers.stream(
            *(served.target, work, "--rate", f"{rate:.3f}", *mix, "--deadline", DEADLINES),
            *("--warm-up", servers.duration(plan.warm_up), "--duration", servers.duration(plan.seconds)),
        )
    return report(load, peak)


def report(load: Mapping[str, Any], peak: Mapping[str, Any]) -> Section:
    outcomes = load["outcomes"]
    admitted = sum(entry["admitted_with_deadline"] for entry in outcomes)
    met = sum(entry["admitted_with_deadline"] for entry in outcomes if entry["code"] == "OK")
    all_steps = sum(entry["picture_steps"] for entry in outcomes)
    wasted = sum(entry["picture_steps"] for entry in outcomes if entry["code"] != "OK") / max(1, all_steps)
    lines = [
        Line(
            "Admitted requests that meet their deadline (simulated A100)",
            f"at least {LEAST_MET:.0%}",
            f"{met / max(1, admitted):.1%} of {admitted}",
            met >= LEAST_MET * admitted,
        ),
        Line(
            "Compute spent on requests that miss theirs",
            f"under {MOST_WASTED:.0%} of all picture steps",
            f"{wasted:.2%}",
            wasted < MOST_WASTED,
        ),
    ]
    goodput = load["throughput"]["good_picture_steps_per_second"]
    table = Table(
        f"What became of the calls; {goodput:.1f} good picture steps a second, "
        f"{peak['throughput']['picture_steps_per_second']:.1f} at the peak",
        ("code", "reason", "calls", "with a deadline and admitted", "picture steps"),
        [
            tuple(
                str(entry[key])
                for key in ("code", "reason", "calls", "admitted_with_deadline", "picture_steps")
            )
            for entry in outcomes
        ],
    )
    return Section("Deadlines", __doc__ or "", lines, [table], raw={"load": load, "peak": peak})
