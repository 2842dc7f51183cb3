"""A Triton that can be signalled, and started again where it was."""

import signal
from contextlib import ExitStack
from pathlib import Path

from serving.triton import Options, Triton


class Replica:
    """A context manager: inside it the replica is there, or was before a signal."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.lifetime = ExitStack()

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
        """To the server's process, where there is one."""
        self.triton.child.process.send_signal(number)

    def end(self) -> None:
        """By SIGTERM, which lets what runs end, unless it has ended."""
        self.lifetime.close()

    def restart(self) -> None:
        """Another process on the same port, ready on return."""
        port = self.triton.listening.grpc
        self.end()
        self.start(port)

    def start(self, port: int) -> None:
        self.triton = self.lifetime.enter_context(Triton(Options(run=self.run, grpc_port=port)))
        self.lifetime.callback(self.signal, signal.SIGCONT)  # a frozen one would not hear of its end
