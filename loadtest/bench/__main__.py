"""Runs every experiment, one after the other on this machine, and writes the report with all raw measurements.

An experiment's measurements are kept as soon as it has ended; with --only the others' are taken from what is there.
"""

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnxruntime

from evaluation.api import ROOT
from loadtest.bench import (
    allocation,
    batching,
    cancelling,
    comparison,
    deadlines,
    first_event,
    open_calls,
    overload,
    replicas,
    report,
    servers,
    slow_readers,
    upper_bound,
)
from loadtest.bench.section import Section, Table
from serving.gateway import java

EXPERIMENTS: dict[str, Callable[[Any, Path], Section]] = {
    "upper_bound": upper_bound.measure,
    "comparison": comparison.measure,
    "batching": batching.measure,
    "overload": overload.measure,
    "deadlines": deadlines.measure,
    "cancelling": cancelling.measure,
    "slow_readers": slow_readers.measure,
    "replicas": replicas.measure,
    "open_calls": open_calls.measure,
    "first_event": first_event.measure,
    "allocation": allocation.measure,
}
FULL = {
    "upper_bound": upper_bound.Plan(),
    "comparison": comparison.Plan({"simulated": (1, 4, 16), "mini": (1, 4, 16)}),
    "batching": batching.Plan(),
    "overload": overload.Plan(),
    "deadlines": deadlines.Plan(),
    "cancelling": cancelling.Plan(),
    "slow_readers": slow_readers.Plan(),
    "replicas": replicas.Plan(),
    "open_calls": open_calls.Plan(),
    "first_event": first_event.Plan(),
    "allocation": allocation.Plan(),
}
QUICK = {
    "upper_bound": upper_bound.Plan({"simulated": (1,)}, pairs=2, seconds=2, warm_rounds=1, warm_seconds=3),
    "comparison": comparison.Plan(
        {"simulated": (1,)}, rounds=1, seconds=3, warm_up=1, warm_rounds=1, warm_seconds=2
    ),
    "batching": batching.Plan({"simulated": (batching.Setting(),)}, callers=(16,), seconds=2),
    "overload": overload.Plan(seconds=3, warm_up=3, factors=(5,)),
    "deadlines": deadlines.Plan(seconds=5, warm_up=1),
    "cancelling": cancelling.Plan(callers=(4,), calls_each=3, least_calls=12),
    "slow_readers": slow_readers.Plan(pairs=1, seconds=2, warm_up=1),
    "replicas": replicas.Plan(pairs=1, callers=16, seconds=2, warm_rounds=0),
    "open_calls": open_calls.Plan(calls=1000, seconds=3),
    "first_event": first_event.Plan(uploads=20, warm_up=10),
    "allocation": allocation.Plan(generations=2, profiles=("simulated",)),
}

# Of a JVM that is measured within a minute of its start: it would else be busy compiling.
SOON_WARM = "-XX:TieredStopAtLevel=1"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, in minutes")
    parser.add_argument(
        "--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="EXPERIMENT"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "out/bench", help="default: out/bench")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    plans = QUICK if arguments.quick else FULL
    if arguments.quick:
        os.environ["JDK_JAVA_OPTIONS"] = SOON_WARM
    for name in arguments.only:
        began = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        with servers.folder() as work:
            section = EXPERIMENTS[name](plans[name], work)
        with gzip.open(arguments.out / f"{name}.json.gz", "wt") as file:
            json.dump(asdict(section), file, indent=1)
        for line in section.lines:
            print(
                f"{'met ' if line.met else 'NOT '} {line.claim}: {line.measured} ({line.required})",
                flush=True,
            )
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    sections = [kept(arguments.out / f"{name}.json.gz") for name in EXPERIMENTS]
    report.write([section for section in sections if section], machine(arguments.quick), arguments.out)
    print(f"{arguments.out}/report.html")
    return 0


def kept(path: Path) -> Section | None:
    """The section of an experiment that has been run."""
    if not path.exists():
        return None
    with gzip.open(path, "rt") as text:
        return Section.of(json.load(text))


def machine(quick: bool) -> Table:
    """What a reader needs to know to judge the figures."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = subprocess.run(
        [java(), "-version"], capture_output=True, text=True, check=True
    ).stderr.splitlines()
    jdk = next(line for line in told if "version" in line)
    rows = [
        ("processor", f"{cpu}, {os.cpu_count()} cores, shared by servers and load generators"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", platform.system()),
        ("Java", jdk),
        ("Python, ONNX Runtime", f"{platform.python_version()}, {onnxruntime.__version__}"),
        ("ghz", (ROOT / "loadtest/ghz/VERSION").read_text().strip()),
        ("GPU", "none: *simulated* models take an A100's published time for each batch and compute nothing"),
        ("date", time.strftime("%Y-%m-%d")),
    ]
    if quick:
        rows.append(
            ("quick", "short runs on JVMs that are hardly warm: they show that all works, not how fast")
        )
    return Table("The machine", ("", ""), rows)


if __name__ == "__main__":
    sys.exit(main())
