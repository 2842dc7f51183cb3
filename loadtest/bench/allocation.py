"""Heap that the gateway allocates for a full-size step (simulated A100, FP16), counted by Java Flight Recorder.

The same number of generations is made with many and with few steps; the difference is the steps' own. All threads
count.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bench import servers
from loadtest.bench.section import Line, Section, Table
from serving.gateway import java

MANY, FEW = 90, 10
CALLERS = 4
ROWS = 2
TENSOR_BYTES = ROWS * 4 * 64 * 64 * 2  # of latents, and of a prediction
MOST = 1.5
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<configuration version="2.0">
  <event name="jdk.ThreadAllocationStatistics">
    <setting name="enabled">true</setting>
    <setting name="period">everyChunk</setting>
  </event>
</configuration>
"""


@dataclass(frozen=True)
class Plan:
    generations: int = 16
    profiles: Sequence[str] = ("simulated", "simulated-guided")


def measure(plan: Plan, work: Path) -> Section:
    by_profile = {profile: _per_step(profile, plan, work) for profile in plan.profiles}
    budget = MOST * 2 * TENSOR_BYTES
    measured = by_profile["simulated"]["bytes"]
    line = Line(
        "Heap bytes that the gateway allocates for a full-size step of 2 rows",
        f"at most {MOST} times the {2 * TENSOR_BYTES} bytes of latents and prediction",
        f"{measured:.0f}, {measured / (2 * TENSOR_BYTES):.2f} times",
        measured <= budget,
    )
    table = Table(
        "",
        ("profile", "heap bytes a step", "direct memory"),
        [(p, f"{m['bytes']:.0f}", f"{m['direct'] / 2**20:.1f} MiB") for p, m in by_profile.items()],
    )
    return Section("Allocation", __doc__ or "", [line], [table], raw=by_profile)


def _per_step(profile: str, plan: Plan, work: Path) -> dict[str, Any]:
    with servers.stack(profile, work, "-XX:NativeMemoryTracking=summary") as served:
        gateway = served.gateway

        def generate(steps: int) -> None:
            load = ("--callers", str(CALLERS), "--requests", str(plan.generations), "--steps", str(steps))
            servers.stream(served.target, work, *load)

        generate(FEW)
        marks = [allocated(gateway, work)]
        for steps in (MANY, FEW):
            generate(steps)
            marks.append(allocated(gateway, work))
        many, few = marks[1] - marks[0], marks[2] - marks[1]
        return {
            "bytes": (many - few) / plan.generations / (MANY - FEW),
            "many": many,
            "few": few,
            "direct": direct_bytes(gateway),
        }


def allocated(gateway: servers.Process, work: Path) -> int:
    """Bytes that all threads that live have allocated since they began."""
    settings, recording = work / "allocation.jfc", work / "allocation.jfr"
    settings.write_text(SETTINGS)
    gateway.jcmd("JFR.start", "name=allocation", f"settings={settings}")
    gateway.jcmd("JFR.stop", "name=allocation", f"filename={recording}")
    jfr = Path(java()).resolve().with_name("jfr")
    command = [jfr, "print", "--json", "--events", "jdk.ThreadAllocationStatistics", recording]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return total(json.loads(printed))


def total(recording: Mapping[str, Any]) -> int:
    """The sum over all threads of the most that is told of each: a chunk tells of it at its beginning and its end."""
    threads: dict[int, int] = {}
    for event in recording["recording"]["events"]:
        values = event["values"]
        thread = values["thread"]["javaThreadId"]
        threads[thread] = max(values["allocated"], threads.get(thread, 0))
    return sum(threads.values())


def direct_bytes(gateway: servers.Process) -> int:
    """What is allocated outside the heap for buffers, Netty's own among them: the JVM's category "Other"."""
    said = gateway.jcmd("VM.native_memory", "summary", "scale=KB")
    (kib,) = re.findall(r"Other \(reserved=\d+KB, committed=(\d+)KB\)", said)
    return 1024 * int(kib)
