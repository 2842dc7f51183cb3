"""Steps per second through the gateway against raw Triton: the same rows, sizes and callers, in turns.

Each pair is one run of ghz against Triton and one of generations through the gateway, which of them first changing from
pair to pair. Prints a table, and writes every run with --json.
"""

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from loadtest.bench import raw, steps
from loadtest.simulated import repository as simulated
from serving.gateway import Gateway
from serving.triton import Options, Triton

ROOT = Path(__file__).parents[2]
ROWS = 2  # of a guided picture
CALLERS = (1, 4, 16, 64)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.upper_bound", description=__doc__)
    parser.add_argument("--profiles", nargs="+", choices=("mini", "simulated"), default=["mini", "simulated"])
    parser.add_argument("--callers", nargs="+", type=int, default=CALLERS)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=6, help="of each run")
    parser.add_argument("--ghz", type=Path, default=ROOT / ".cache/bin/ghz")
    parser.add_argument("--jar", type=Path, default=ROOT / "gateway/target/quarkus-app/quarkus-run.jar")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    os.environ["ARC2FACE_LIMITS_MAX_RUNNING"] = str(max(arguments.callers))
    report = {profile: measure(profile, arguments) for profile in arguments.profiles}
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


def measure(profile: str, arguments: argparse.Namespace) -> dict[int, Any]:
    """Callers -> pairs of runs, and what they amount to."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arc2face-bench-")))
        repository = str(simulated.write(work / "simulated")) if profile == "simulated" else profile
        triton = stack.enter_context(Triton(Options(repository=repository, run=work / "triton")))
        target = f"{triton.listening.host}:{triton.listening.grpc}"
        gateway = stack.enter_context(Gateway(arguments.jar, target, work / "gateway.log"))
        protoset = raw.write_protoset(work / "triton.protoset")
        request = raw.write_request(target, ROWS, work / "step.bin")

        def run_raw(callers: int, seconds: float) -> raw.Raw:
            return raw.measure(arguments.ghz, target, protoset, request, callers, seconds)

        def run_through(callers: int, expected: float) -> steps.Through:
            address = f"{gateway.host}:{gateway.grpc_port}"
            return steps.measure(address, gateway.child.process.pid, callers, arguments.seconds, expected)

        results = {}
        show(
            profile, "callers", "raw", "gateway", "ratio", "95 %", "added ms", "gateway CPU ms", "ghz CPU ms"
        )
        for callers in arguments.callers:
            expected = run_raw(callers, 2).steps_per_second
            run_through(callers, expected / 3)  # both are warm now
            pairs = []
            for number in range(arguments.pairs):
                if number % 2:
                    above = run_through(callers, expected)
                    below = run_raw(callers, arguments.seconds)
                else:
                    below = run_raw(callers, arguments.seconds)
                    above = run_through(callers, expected)
                pairs.append((below, above))
            results[callers] = summary(pairs)
            line = results[callers]
            show(
                "",
                callers,
                *(f"{line[key]:.1f}" for key in ("raw", "gateway")),
                f"{line['ratio']:.3f}",
                "{:.3f}-{:.3f}".format(*line["interval"]),
                *(f"{line[key]:.2f}" for key in ("added_ms", "gateway_cpu_ms", "ghz_cpu_ms")),
            )
        return results


def summary(pairs: list[tuple[raw.Raw, steps.Through]]) -> dict[str, Any]:
    ratios = [above.steps_per_second / below.steps_per_second for below, above in pairs]
    return {
        "raw": float(np.median([below.steps_per_second for below, _ in pairs])),
        "gateway": float(np.median([above.steps_per_second for _, above in pairs])),
        "ratio": float(np.median(ratios)),
        "interval": interval(ratios),
        "added_ms": float(np.median([above.step_p50_ms - below.p50_ms for below, above in pairs])),
        "gateway_cpu_ms": 1000 * float(np.median([above.cpu_seconds_per_step for _, above in pairs])),
        "ghz_cpu_ms": 1000 * float(np.median([below.cpu_seconds_per_step for below, _ in pairs])),
        "pairs": [{"raw": asdict(below), "gateway": asdict(above)} for below, above in pairs],
    }


def interval(values: list[float], resamples: int = 10_000) -> tuple[float, float]:
    """The 95 % interval of the median, by bootstrap."""
    draws = np.random.default_rng(0).choice(values, (resamples, len(values)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return float(low), float(high)


def show(profile: str, *columns: object) -> None:
    print(f"{profile:10}" + "".join(f"{column:>15}" for column in columns), flush=True)


if __name__ == "__main__":
    sys.exit(main())
