"""What befalls the model servers while they are called."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from loadtest.faults.replica import Replica
from loadtest.soak.plan import Fault
from loadtest.soak.rows import Ledger


def strike(fault: Fault, replica: Replica, ledger: Ledger) -> None:
    """One fault, and its mending; after it the replica is there."""
    if fault.kind == "thaw":  # it was slow to answer, and lives
        replica.signal(signal.SIGSTOP)
        time.sleep(fault.lasting)
        replica.signal(signal.SIGCONT)
        return
    target, port = replica.target, replica.triton.listening.grpc
    mark = ledger.mark(target)
    if fault.kind == "restart":
        replica.end()
    else:
        replica.signal(signal.SIGKILL if fault.kind == "kill" else signal.SIGSTOP)
    time.sleep(fault.lasting)
    replica.signal(signal.SIGKILL)
    replica.end()
    ledger.end(target, mark, fault.kind)
    replica.start(port)


@contextmanager
def befalling(
    replicas: Sequence[Replica], ledger: Ledger, faults: Iterator[Fault], told: list[dict[str, Any]]
) -> Iterator[None]:
    """Inside, one fault comes after the other, and is told with when it struck and how long it took to mend.

    Leaving waits for the mending of the last.
    """
    over = threading.Event()
    failures: list[BaseException] = []

    def befall() -> None:
        try:
            for fault in faults:
                if over.wait(fault.after):
                    return
                began = time.monotonic()
                strike(fault, replicas[fault.victim], ledger)
                told.append({**asdict(fault), "struck": began, "mended_after": time.monotonic() - began})
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=befall)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    for failure in failures:
        raise failure
