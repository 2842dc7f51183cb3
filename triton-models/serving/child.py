"""A child process that cannot be left behind."""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class Child:
    """A process in a session of its own, its output in a file.

    Gets SIGTERM from the kernel when its parent dies in whatever way. `stop` ends it and all that it started.
    The terminal's ctrl-C does not reach it: its parent decides when it is to stop.
    """

    def __init__(
        self, command: Sequence[str], log: Path, env: Mapping[str, str], cwd: Path | None = None
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    def log_tail(self, lines: int = 20) -> str:
        """The errors in the log (lines that start as Triton's do, E1124 ...) and its end."""
        log = self.log.read_text(errors="replace").splitlines()
        errors = [line for line in log[:-lines] if re.match(r"E\d{4} ", line)]
        return "\n".join(errors + log[-lines:])

    def stop(self, patience: float = 15) -> None:
        """SIGTERM to the process; when it has ended, or `patience` seconds later, SIGKILL to its group."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


def die_with_parent(parent: int) -> Callable[[], None]:
    """For `preexec_fn`: has the kernel send SIGTERM at the parent's death; undoes its signal mask."""

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return prepare
