"""The servers of an experiment, and the load on them."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.api import ROOT
from export import guided
from loadtest.simulated import repository as simulated
from serving.gateway import Gateway, java
from serving.triton import Options, Triton

JAR = ROOT / "gateway/target/quarkus-app/quarkus-run.jar"
STREAM = ROOT / "loadtest/stream/target/stream.jar"
GHZ = ROOT / ".cache/bin/ghz"

STEPS = (10, 25, 50)  # of requests that differ
MIXED_STEPS = ",".join(map(str, STEPS))  # as the stream tester takes them
MEAN_STEPS = sum(STEPS) / len(STEPS)


@dataclass(frozen=True)
class Process:
    """A process whose CPU time counts."""

    pid: int

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def jit_seconds(self) -> float:
        """What the JVM has spent compiling, by its own counter."""
        counters = dict(
            line.split("=", 1) for line in self.jcmd("PerfCounter.print").splitlines() if "=" in line
        )
        return int(counters["java.ci.totalTime"]) / int(counters["sun.os.hrt.frequency"])

    def jcmd(self, *command: str) -> str:
        """What the JVM answers."""
        program = Path(java()).resolve().with_name("jcmd")
        return subprocess.run(
            [program, str(self.pid), *command], capture_output=True, text=True, check=True
        ).stdout


@dataclass(frozen=True)
class Served:
    """A gateway and the Tritons behind it, host:port each."""

    target: str
    http: str
    tritons: Sequence[str]
    gateway: Process
    log: Path

    @property
    def triton(self) -> str:
        (only,) = self.tritons
        return only


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="arc2face-bench-") as work:
        yield Path(work)


def repository(profile: str, work: Path) -> Path:
    """The model repository of `mini` or `simulated` (an A100); `-guided` after it adds `unet_guided`."""
    mini, out = ROOT / "triton-models/mini", work / profile
    if profile == "mini" or out.exists():
        return mini if profile == "mini" else out
    if profile == "mini-guided":
        guided.add(shutil.copytree(mini, out))
        return out
    return simulated.write(out, guided=profile == "simulated-guided")


@contextmanager
def triton(models: Path, work: Path, threads: int = 0) -> Iterator[str]:
    """Its address."""
    run = Path(tempfile.mkdtemp(prefix="triton-", dir=work))
    with Triton(Options(repository=str(models), run=run, threads=threads)) as server:
        yield f"{server.listening.host}:{server.listening.grpc}"


@contextmanager
def gateway(tritons: Sequence[str], work: Path, *options: str) -> Iterator[Served]:
    """A gateway with these Java options (-Darc2face.limits.max-running=64, -Xmx512m)."""
    log = Path(tempfile.mkdtemp(prefix="gateway-", dir=work)) / "gateway.log"
    with Gateway(JAR, ",".join(tritons), log, java_options=options) as server:
        target = f"{server.host}:{server.grpc_port}"
        http = f"{server.host}:{server.http_port}"
        yield Served(target, http, tuple(tritons), Process(server.child.process.pid), log)


@contextmanager
def stack(profile: str, work: Path, *options: str, replicas: int = 1, threads: int = 0) -> Iterator[Served]:
    """Tritons that serve the profile, and a gateway before them."""
    with ExitStack() as servers:
        models = repository(profile, work)
        tritons = [servers.enter_context(triton(models, work, threads)) for _ in range(replicas)]
        yield servers.enter_context(gateway(tritons, work, *options))


def duration(seconds: float) -> str:
    """As the stream tester takes it."""
    return f"{round(1000 * seconds)}ms"


def stream(target: str, work: Path, *options: str) -> dict[str, Any]:
    """The report of a run of the stream tester (loadtest/README.md)."""
    report = work / "stream.json"
    command = [java(), "-XX:+UseSerialGC", "-jar", str(STREAM), "--target", target, "--json", str(report)]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the stream tester ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    measured = json.loads(report.read_text())
    del measured["arguments"]  # they name folders of this machine
    return measured
