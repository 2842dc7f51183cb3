"""What a gateway holds, as the operating system and the JVM see it from outside."""

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench.servers import Process

ESTABLISHED = "01"  # in /proc/net/tcp
# The JVM has as many of them as there is to compile.
COMPILERS = ("C1 CompilerThre", "C2 CompilerThre")


@dataclass(frozen=True)
class Sample:
    """At an instant, seconds after the beginning; nothing of it costs the process anything."""

    seconds: float
    threads: int  # but for the JVM's compilers
    descriptors: int
    connections: int  # TCP, established
    rss_mib: float


@dataclass(frozen=True)
class Figures:
    """While nobody calls, after a garbage collection; MiB."""

    threads: int
    descriptors: int
    connections: int
    heap: float
    direct: float  # allocated outside the heap by what runs in it: direct buffers, above all
    rss: float
    other: Mapping[str, float]  # committed by the JVM, by its own accounts
    threads_by_name: Mapping[str, int]


@dataclass(frozen=True)
class Tolerance:
    """By how much a figure may be larger at the end than it was: absolutely, and in relation to what it was."""

    absolute: float
    relative: float = 0


# Thread pools and buffers grow with the busiest moment so far; the collector and the compiler work when they like.
TOLERANCES = {
    "threads": Tolerance(2),
    "descriptors": Tolerance(2),
    "connections": Tolerance(0),
    "heap": Tolerance(4),
    "direct": Tolerance(16),
    "rss": Tolerance(0, 0.05),
}


@dataclass(frozen=True)
class Growth:
    """Of one figure."""

    figure: str
    before: float
    after: float
    allowed: float

    @property
    def is_none(self) -> bool:
        return self.after - self.before <= self.allowed


def growth(before: Figures, after: Figures) -> Sequence[Growth]:
    found = []
    for figure, tolerance in TOLERANCES.items():
        then, now = getattr(before, figure), getattr(after, figure)
        found.append(Growth(figure, then, now, tolerance.absolute + tolerance.relative * then))
    return found


def sample(pid: int, seconds: float) -> Sample:
    names = thread_names(pid)
    links = list(descriptors(pid))
    return Sample(
        seconds,
        sum(count for name, count in names.items() if name not in COMPILERS),
        len(links),
        established(pid, links),
        rss_mib(pid),
    )


def figures(process: Process) -> Figures:
    """Of a gateway that was started with -XX:NativeMemoryTracking=summary."""
    process.jcmd("GC.run")
    now = sample(process.pid, 0)
    native = native_mib(process.jcmd("VM.native_memory", "summary", "scale=KB"))
    return Figures(
        now.threads,
        now.descriptors,
        now.connections,
        heap_mib(process.jcmd("GC.heap_info")),
        native["Other"],
        now.rss_mib,
        native,
        {re.sub(r"[\d-]+$", "", name): count for name, count in thread_names(process.pid).items()},
    )


@contextmanager
def sampling(pid: int, interval: float) -> Iterator[list[Sample]]:
    """Inside, the list gets longer and longer."""
    samples: list[Sample] = []
    over = threading.Event()
    began = time.monotonic()

    def look() -> None:
        while not over.wait(interval):
            samples.append(sample(pid, time.monotonic() - began))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def thread_names(pid: int) -> Counter[str]:
    """How many threads have each name, of which the kernel keeps 15 letters."""
    names: Counter[str] = Counter()
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            names[(task / "comm").read_text().strip()] += 1
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return names


def descriptors(pid: int) -> Iterator[str]:
    """What each open descriptor stands for."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield str(link.readlink())
        except FileNotFoundError:
            continue  # it has just been closed


def established(pid: int, links: Sequence[str]) -> int:
    """Those of these sockets that are connected by TCP."""
    own = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    connected = 0
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            connected += columns[3] == ESTABLISHED and columns[9] in own
    return connected


def rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def heap_mib(heap_info: str) -> float:
    """Used, of all generations, by jcmd's GC.heap_info of the serial collector."""
    return sum(int(used) for used in re.findall(r"total \d+K, used (\d+)K", heap_info)) / 1024


def native_mib(native_memory: str) -> dict[str, float]:
    """Committed, by kind, by jcmd's VM.native_memory."""
    kinds = re.findall(r"^-\s+(\S[^(]*?) \(reserved=\d+KB, committed=(\d+)KB", native_memory, re.MULTILINE)
    return {kind: int(committed) / 1024 for kind, committed in kinds}
