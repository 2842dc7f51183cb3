"""A gateway that must not or cannot serve ends, and says what to do."""

import socket
import subprocess
from pathlib import Path

from serving.gateway import java

SECONDS = 120


def test_does_not_listen_where_others_can_reach_it_without_asking_who_they_are(jar: Path) -> None:
    assert "arc2face.security.allow-anonymous=true" in refusal(jar, "-Dquarkus.grpc.server.host=0.0.0.0")


def test_does_not_go_on_without_grpc_where_its_port_is_taken(jar: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ("-Dquarkus.grpc.server.host=127.0.0.1", f"-Dquarkus.grpc.server.port={port}")
        assert f"no gRPC server on 127.0.0.1:{port}" in refusal(jar, *options)


def refusal(jar: Path, *options: str) -> str:
    """What a gateway with these Java options, and any ports for the rest, says before it ends."""
    ports = [f"-Dquarkus.{server}.port=0" for server in ("grpc.server", "http", "management")]
    ended = subprocess.run(
        [java(), *ports, *options, "-jar", jar],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == 1
    return ended.stdout
