"""The gateway as one object: started before a ready Triton, ready itself, stopped."""

import os
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from serving import local_http, ports
from serving.child import Child
from serving.supervision import StartError

POLL_SECONDS = 0.05


class Gateway:
    """A context manager: inside it the gateway answers on `grpc_port` and has passed its warm-up generation."""

    def __init__(
        self,
        jar: Path,
        triton: str,
        log: Path,
        grpc_port: int = 0,
        http_port: int = 0,
        host: str = "127.0.0.1",
        java_options: Sequence[str] = (),
    ) -> None:
        """`java_options` come after ours: -Xmx512m, -Darc2face.limits.max-running=64."""
        self.host = host
        self.grpc_port, self.http_port = ports.choose(host, (grpc_port, http_port))
        self.log = log
        self.command = [
            java(),
            "-XX:+UseSerialGC",
            f"-Darc2face.triton.targets={triton}",
            f"-Dquarkus.grpc.server.host={host}",
            f"-Dquarkus.grpc.server.port={self.grpc_port}",
            f"-Dquarkus.http.host={host}",
            f"-Dquarkus.http.port={self.http_port}",
            *java_options,
            "-jar",
            str(jar),
        ]

    def __enter__(self) -> "Gateway":
        self.child = Child(self.command, self.log)
        try:
            self.wait_until_ready()
        except BaseException:
            self.child.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop()

    def wait_until_ready(self, timeout: float = 300) -> None:
        """The full-size profile warms up for a minute on a CPU."""
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.child.exit_code() is not None:
                raise StartError(self.child.obituary())
            if time.monotonic() > deadline:
                raise StartError(f"the gateway was not ready after {timeout:.0f} s\n{self.child.log_tail()}")
            time.sleep(POLL_SECONDS)

    def is_ready(self) -> bool:
        """Whether it says so, and its gRPC port is open."""
        if local_http.get(self.host, self.http_port, "/q/health/ready") is None:
            return False
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.grpc_port)) == 0


def java() -> str:
    """The program of JAVA_HOME, or the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if found is None:
        raise StartError("missing: java: apt-get install openjdk-17-jdk-headless, or set JAVA_HOME")
    return found
