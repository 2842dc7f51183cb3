"""Waiting for whichever comes first: a signal to stop, or the end of a process that must not end."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from serving.child import Child

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
PARENT_POLL_SECONDS = 0.5


class StartError(Exception):
    """Something cannot be started here, or did not become ready; the message says why."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, the first signal to stop raises KeyboardInterrupt, so that all is cleaned up; more are ignored."""

    def stop(number: int, _: object) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def first_to_end(children: Sequence[Child], parent: int | None = None) -> Child | None:
    """Blocks until a child has ended, and returns it; None if `parent`, our own parent process, ends first."""
    numbers = {signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        while parent is None or os.getppid() == parent:
            for child in children:
                if child.exit_code() is not None:
                    return child
            signal.sigtimedwait(numbers, PARENT_POLL_SECONDS)
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
