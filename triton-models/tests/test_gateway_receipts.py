"""Receipts across replicas and restarts: the command-line client, two gateways and two Tritons that share nothing."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from serving.gateway import Gateway, java
from serving.layout import TRITON_MODELS
from serving.triton import Options, Triton

PHOTO = TRITON_MODELS.parent / "samples" / "collins.png"
SECONDS = 120


class Servers:
    """Gateways with a Triton each, all with the same identity key."""

    def __init__(self, jar: Path, folder: Path, stack: ExitStack) -> None:
        self.jar = jar
        self.folder = folder
        self.stack = stack
        self.key = folder / "identity.key"
        self.key.write_text("k" * 32)

    def start(self, name: str, *options: str) -> str:
        """A new gateway and a new Triton; where it is called."""
        triton = self.stack.enter_context(Triton(Options(run=self.folder / name)))
        gateway = self.stack.enter_context(
            Gateway(
                self.jar,
                f"{triton.listening.host}:{triton.listening.grpc}",
                self.folder / f"{name}.log",
                java_options=options or (f"-Darc2face.receipts.identity-key={self.key}",),
            )
        )
        return f"{gateway.host}:{gateway.grpc_port}"


@pytest.fixture
def servers(jar: Path, tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(jar, tmp_path, stack)


def test_replay_gives_the_same_bytes_elsewhere_and_after_a_restart(
    servers: Servers, jar: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = servers.start("first")
    options = ["-n", "2", "--steps", "3", "--seed", "7", "--format", "webp", "--out", str(out)]
    assert client(jar, "generate", PHOTO, *options, "--target", first).returncode == 0
    receipt = out / "collins-7-receipt.json"
    told = json.loads(receipt.read_text())
    for picture, seed in zip(told["pictures"], (7, 8), strict=True):
        file = out / f"collins-{seed}.webp"
        assert picture["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert client(jar, "verify", file, receipt).returncode == 0

    servers.stack.close()  # all that made them is gone
    with servers.stack:
        again = client(jar, "replay", receipt, PHOTO, "--json", "--target", servers.start("second"))
        assert json.loads(again.stdout) == {
            "same": True,
            "pictures": ["picture 0, seed 7: the same bytes", "picture 1, seed 8: the same bytes"],
            "differences": [],
        }
        assert again.returncode == 0

        # A third one, without the key: it cannot tell whose photo it is, and makes the same bytes.
        keyless = servers.start("third", "-Xmx512m")
        again = client(jar, "replay", receipt, PHOTO, "--json", "--target", keyless)
        told = json.loads(again.stdout)
        assert told["same"]
        assert [d for d in told["differences"] if "another identity key" in d] == told["differences"]


def client(jar: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(jar), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
