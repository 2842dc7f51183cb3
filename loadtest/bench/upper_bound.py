"""Steps per second through the gateway against raw Triton: the same rows, sizes and callers, in turns.

Each pair is one run of ghz against Triton and one of generations through the gateway, which of them first changing from
pair to pair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from loadtest.bench import servers, steps
from loadtest.bench.repetition import in_turns, interval, median
from loadtest.bench.section import Line, Plot, Section, Table, number_of
from loadtest.ghz import raw, run, scenario

LEAST_RATIO, LEAST_LOWER_BOUND, MOST_ADDED_MS = 0.97, 0.95, 0.5
NAMES = {
    "mini": "mini",
    "simulated": "simulated A100",
    "mini-guided": "mini, `unet_guided`",
    "simulated-guided": "simulated A100, `unet_guided`",
}
PROMISED = ("mini", "simulated")


@dataclass(frozen=True)
class Plan:
    """How much is measured: numbers of callers for each profile, seconds of each run of a pair."""

    callers: Mapping[str, Sequence[int]] = field(
        default_factory=lambda: {
            "mini": (1, 4, 16, 64),
            "simulated": (1, 4, 16, 64),
            "mini-guided": (1, 16),
            "simulated-guided": (1, 16),
        }
    )
    pairs: int = 10
    guided_pairs: int = 4
    seconds: float = 4
    warm_rounds: int = 16
    warm_seconds: float = 8


def measure(plan: Plan, work: Path) -> Section:
    results = {profile: _profile(profile, callers, plan, work) for profile, callers in plan.callers.items()}
    lines = [
        Line(
            f"Steps per second through the gateway against raw Triton, {NAMES[profile]}, {number_of(callers)}",
            f"median of {plan.pairs} pairs at least {LEAST_RATIO}, "
            f"lower bound of its 95 % interval at least {LEAST_LOWER_BOUND}",
            "{:.3f} ({:.3f} to {:.3f})".format(result["ratio"], *result["interval"]),
            result["ratio"] >= LEAST_RATIO and result["interval"][0] >= LEAST_LOWER_BOUND,
        )
        for profile in PROMISED
        for callers, result in results.get(profile, {}).items()
    ]
    added = results["simulated"][1]["added_ms"]
    lines.append(
        Line(
            "Time that the gateway adds to a full-size step of 2 rows (simulated A100, one caller)",
            f"median at most {MOST_ADDED_MS} ms",
            f"{added:.2f} ms",
            added <= MOST_ADDED_MS,
        )
    )
    table = Table(
        "Steps per second (a step is a guided picture's), and CPU milliseconds per step of the gateway, "
        "of its callers and of ghz, apart",
        (
            "profile",
            "callers",
            "raw",
            "gateway",
            "ratio",
            "95 %",
            "added ms",
            "gateway CPU",
            "caller CPU",
            "ghz CPU",
        ),
        [
            (
                NAMES[profile],
                str(callers),
                f"{result['raw']:.1f}",
                f"{result['gateway']:.1f}",
                f"{result['ratio']:.3f}",
                "{:.3f} to {:.3f}".format(*result["interval"]),
                f"{result['added_ms']:.2f}",
                f"{result['gateway_cpu_ms']:.2f}",
                f"{result['caller_cpu_ms']:.2f}",
                f"{result['ghz_cpu_ms']:.2f}",
            )
            for profile, by_callers in results.items()
            for callers, result in by_callers.items()
        ],
    )
    plot = Plot(
        "Throughput through the gateway, relative to raw Triton",
        "callers",
        "ratio",
        {NAMES[p]: [(n, r["ratio"]) for n, r in results[p].items()] for p in PROMISED if p in results},
        log_x=True,
    )
    return Section(
        "The gateway against raw Triton", __doc__ or "", lines, [table], [plot], {"profiles": results}
    )


def _profile(profile: str, callers: Sequence[int], plan: Plan, work: Path) -> dict[int, dict[str, Any]]:
    """Callers -> pairs of runs, and what they amount to."""
    running = f"-Darc2face.limits.max-running={max(callers)}"
    with servers.stack(profile, work, running) as served:
        guided = profile.endswith("guided")
        model, rows = ("unet_guided", 1) if guided else ("unet", 2)
        config = scenario.load("raw-unet")
        config.pop("vary")
        config["protoset"] = str(raw.write_protoset(work / "triton.protoset"))
        config["binary-file"] = str(raw.write_request(served.triton, rows, work / "step.bin", model))

        def below(count: int, seconds: float) -> run.Outcome:
            config.update({"concurrency": count, "duration": f"{seconds}s"})
            return run.all_well(servers.GHZ, config, served.triton, work)

        steps.warm(served, plan.warm_rounds, plan.warm_seconds)
        results = {}
        for count in callers:
            expected = below(count, 2).ok_per_second
            pairs = in_turns(
                plan.guided_pairs if guided else plan.pairs,
                {
                    "raw": partial(below, count, plan.seconds),
                    "gateway": partial(steps.measure, served, count, plan.seconds, expected),
                },
            )
            results[count] = summary([(pair["raw"], pair["gateway"]) for pair in pairs])
        return results


def summary(pairs: Sequence[tuple[run.Outcome, steps.Through]]) -> dict[str, Any]:
    """Ratios are taken within pairs: what the machine did meanwhile happened to both."""
    ratios = [above.steps_per_second / below.ok_per_second for below, above in pairs]
    return {
        "raw": median([below.ok_per_second for below, _ in pairs]),
        "gateway": median([above.steps_per_second for _, above in pairs]),
        "ratio": median(ratios),
        "interval": interval(ratios),
        "added_ms": median([above.step_p50_ms - below.milliseconds[50] for below, above in pairs]),
        "gateway_cpu_ms": 1000 * median([above.cpu_seconds_per_step for _, above in pairs]),
        "caller_cpu_ms": 1000 * median([above.caller_cpu_seconds_per_step for _, above in pairs]),
        "ghz_cpu_ms": 1000 * median([below.cpu_seconds / below.calls for below, _ in pairs]),
        "pairs": [{"raw": asdict(below), "gateway": asdict(above)} for below, above in pairs],
    }
