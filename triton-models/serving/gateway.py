"""The gateway as one object: started before a ready Triton, ready itself, stopped."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from serving import local_http, ports
from serving.server import Server
from serving.supervision import StartError


class Gateway(Server):
    """A context manager: inside it the gateway answers on `grpc_port` and has passed its warm-up generation."""

    name = "the gateway"
    patience = 300  # the full-size profile warms up for a minute on a CPU
    farewell = 40  # what runs may end, for 25 s unless configured otherwise

    def __init__(
        self,
        jar: Path,
        triton: str,
        log: Path,
        grpc_port: int = 0,
        http_port: int = 0,
        management_port: int = 0,
        host: str = "127.0.0.1",
        java_options: Sequence[str] = (),
    ) -> None:
        """`java_options` come after ours: -Xmx512m, -Darc2face.limits.max-running=64."""
        self.host = host
        wanted = (grpc_port, http_port, management_port)
        self.grpc_port, self.http_port, self.management_port = ports.choose(host, wanted)
        command = [
            java(),
            "-XX:+UseSerialGC",
            f"-Darc2face.triton.targets={triton}",
            f"-Dquarkus.grpc.server.host={host}",
            f"-Dquarkus.grpc.server.port={self.grpc_port}",
            f"-Dquarkus.http.host={host}",
            f"-Dquarkus.http.port={self.http_port}",
            f"-Dquarkus.management.host={host}",
            f"-Dquarkus.management.port={self.management_port}",
            *java_options,
            "-jar",
            str(jar),
        ]
        super().__init__(command, log)

    def is_ready(self) -> bool:
        """Whether it says so, and its gRPC port is open."""
        if local_http.get(self.host, self.management_port, "/q/health/ready") is None:
            return False
        return ports.is_open(self.host, self.grpc_port)


def java() -> str:
    """The program of JAVA_HOME, or the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if found is None:
        raise StartError("missing: java: apt-get install openjdk-17-jdk-headless, or set JAVA_HOME")
    return found
