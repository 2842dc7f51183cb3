"""Calls that are open and ask for nothing, and as many generations in the queue: what they hold in the gateway.

The heap is measured after a full collection. One caller goes on drawing beside them (mini).
"""

import re
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import servers
from loadtest.bench.section import Line, Section, Table

HEAP = 512  # MiB


@dataclass(frozen=True)
class Plan:
    calls: int = 10_000
    seconds: float = 15


@dataclass(frozen=True)
class Memory:
    """MiB."""

    heap: float
    resident: float


def measure(plan: Plan, work: Path) -> Section:
    options = (
        f"-Xmx{HEAP}m",
        f"-Darc2face.limits.max-queued={3 * plan.calls}",
        "-Darc2face.limits.client-stall=PT10M",
    )
    with servers.stack("mini", work, *options) as served:
        servers.stream(served.target, work, "--callers", "1", "--duration", "3s")
        before = memory(served.gateway)
        idle = during(served, work, plan, "--callers", "1", "--idle-streams", str(plan.calls))
        queued = during(served, work, plan, "--callers", str(plan.calls), "--connections", "10")
        log = served.log.read_text(errors="replace")
        servers.stream(served.target, work, "--callers", "1", "--requests", "2")  # it still answers
    survived = "OutOfMemoryError" not in log
    lines = [
        Line(
            f"Heap of the gateway with {plan.calls} {what}, above that without",
            f"bounded: within a heap of {HEAP} MiB",
            f"{held.heap - before.heap:.0f} MiB, {1024 * (held.heap - before.heap) / plan.calls:.1f} KiB each",
            survived,
        )
        for what, held in (("open calls that send nothing", idle), ("generations in the queue", queued))
    ]
    table = Table(
        "Memory of the gateway in MiB",
        ("", "heap in use", "resident"),
        [
            (what, f"{m.heap:.0f}", f"{m.resident:.0f}")
            for what, m in (("before", before), ("idle", idle), ("queued", queued))
        ],
    )
    return Section("Many open calls", __doc__ or "", lines, [table])


def during(served: servers.Served, work: Path, plan: Plan, *options: str) -> Memory:
    """The most that the gateway held while the stream tester ran."""
    load = (*options, "--steps", "10", "--duration", servers.duration(plan.seconds), "--drain", "0s")
    most = Memory(0, 0)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(servers.stream, served.target, work, *load)
        while not run.done():
            most = max(most, memory(served.gateway), key=lambda held: held.heap)
            wait([run], timeout=2)
    run.result()
    return most


def memory(gateway: servers.Process) -> Memory:
    """After a full collection."""
    gateway.jcmd("GC.run")
    said = gateway.jcmd("GC.heap_info")
    used = sum(int(kib) for kib in re.findall(r"generation\s+total \d+K, used (\d+)K", said))
    resident = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{gateway.pid}/status").read_text())
    return Memory(used / 1024, int(resident[1]) / 1024 if resident else 0)
