"""A server in a child process that has begun to serve when its context is entered."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from serving.child import Child
from serving.supervision import StartError

POLL_SECONDS = 0.05
Self = TypeVar("Self", bound="Server")


class Server(ABC):
    """A context manager: inside it the server is ready; after it nothing of it is left."""

    name: str
    patience: float  # seconds until it must be ready
    farewell: float = 15  # seconds until it must have ended

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.command, self.log, self.env = command, log, env

    def __enter__(self: Self) -> Self:
        self.child = Child(self.command, self.log, self.env)
        try:
            wait_until_ready(self.child, self.is_ready, self.name, self.patience)
        except BaseException:
            self.child.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop(self.farewell)

    @abstractmethod
    def is_ready(self) -> bool: ...


def wait_until_ready(child: Child, is_ready: Callable[[], bool], name: str, patience: float) -> None:
    """StartError where the process ends before that, or takes longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    while not is_ready():
        if child.exit_code() is not None:
            raise StartError(child.obituary())
        if time.monotonic() > deadline:
            raise StartError(f"{name} was not ready after {patience:.0f} s\n{child.log_tail()}")
        time.sleep(POLL_SECONDS)
