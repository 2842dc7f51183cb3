"""Runs one configuration of ghz, and says what came of it."""

import json
import resource
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.api import ROOT

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Outcome:
    """What a person reads of ghz's report."""

    calls: int
    ok_per_second: float
    milliseconds: Mapping[int, float]  # of the calls that ended well, by percentile; without any, none
    codes: Mapping[str, int]
    cpu_seconds: float  # of ghz itself

    @staticmethod
    def of(report: Mapping[str, Any]) -> "Outcome":
        codes = dict(report.get("statusCodeDistribution") or {})
        seconds = report["total"] / 1e9
        latencies = {
            entry["percentage"]: entry["latency"] / 1e6 for entry in report.get("latencyDistribution") or []
        }
        return Outcome(
            calls=report["count"],
            ok_per_second=codes.get("OK", 0) / seconds if seconds else 0.0,
            milliseconds={p: latencies[p] for p in PERCENTILES if p in latencies} if codes.get("OK") else {},
            codes=codes,
            cpu_seconds=report["cpuSeconds"],
        )


def run(ghz: Path, config: Mapping[str, Any], target: str, work: Path) -> dict[str, Any]:
    """ghz's whole report, but for the list of all calls, and with `cpuSeconds`, what it took itself.

    Nothing else that this process has started may end meanwhile.
    """
    path = work / "config.json"
    path.write_text(json.dumps({**config, "host": target, "format": "json"}))
    before = _cpu_of_children()
    done = subprocess.run([ghz, "--config", path], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(done.stdout)
    report.pop("details", None)
    report.get("options", {}).pop("data", None)  # photos
    return {**report, "cpuSeconds": _cpu_of_children() - before}


def all_well(ghz: Path, config: Mapping[str, Any], target: str, work: Path) -> Outcome:
    """A run whose every call must end well, or its rate would say nothing."""
    outcome = Outcome.of(run(ghz, config, target, work))
    if set(outcome.codes) != {"OK"}:
        raise RuntimeError(f"{config['call']}: {outcome.codes}")
    return outcome


def _cpu_of_children() -> float:
    """CPU seconds of all processes that this one has started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def header() -> str:
    percentiles = "".join(f"{f'p{p} ms':>10}" for p in PERCENTILES)
    return f"{'scenario':44}{'calls':>8}{'OK/s':>10}{percentiles}  codes"


def line(title: str, outcome: Outcome) -> str:
    percentiles = "".join(
        f"{outcome.milliseconds[p]:10.1f}" if p in outcome.milliseconds else f"{'-':>10}" for p in PERCENTILES
    )
    codes = ", ".join(f"{code} {count}" for code, count in sorted(outcome.codes.items()))
    return f"{title:44}{outcome.calls:8}{outcome.ok_per_second:10.1f}{percentiles}  {codes}"
