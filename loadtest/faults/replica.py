"""A Triton that can be signalled, and started again where it was."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

from serving.triton import Options, Triton


class Replica:
    """A context manager: inside it the replica is there, or was before a signal."""

    def __init__(self, run: Path) -> None:
        self.run = run

    def __enter__(self) -> "Replica":
        self.start(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def target(self) -> str:
        listening = self.triton.listening
        return f"{listening.host}:{listening.grpc}"

    def signal(self, number: int) -> None:
        os.kill(self.triton.listening.pid, number)

    def restart(self) -> None:
        """Another Triton on the same port, ready on return; the one before is killed."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        port = self.triton.listening.grpc
        self.end()
        self.start(port)

    def start(self, port: int) -> None:
        self.triton = Triton(Options(run=self.run, grpc_port=port))
        self.triton.__enter__()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
        self.triton.__exit__()
        shutil.rmtree(self.run, ignore_errors=True)
