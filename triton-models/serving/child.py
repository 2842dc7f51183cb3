"""A child process that cannot be left behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# To the kernel, a process' parent is the thread that started it: this one lives as long as we do.
_STARTER = ThreadPoolExecutor(1, "child-starter")
LOOK_SECONDS = 0.02
_WITH_PARENT = (sys.executable, "-E", "-S", str(Path(__file__).with_name("with_parent.py")))


class Child:
    """A process that gets SIGTERM from the kernel when its parent dies in whatever way.

    With a `log` for its output it has a session of its own: the terminal's ctrl-C does not reach it, and `stop`
    ends it together with all that it started. Without one it is a command in the foreground, on our terminal.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        with contextlib.ExitStack() as files:
            output = None if log is None else files.enter_context(log.open("ab"))
            self.process = _STARTER.submit(
                subprocess.Popen,
                [*_WITH_PARENT, str(os.getpid()), *command],
                stdin=None if log is None else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                cwd=cwd,
                start_new_session=log is not None,
            ).result()

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    def obituary(self) -> str:
        """Why it ended, by its own log."""
        return f"{self.name} ended with exit code {self.exit_code()}\n{self.log_tail()}"

    def log_tail(self, lines: int = 20) -> str:
        """The end of the log and, before it, the errors (lines that start as Triton's do, E1124 ...)."""
        if self.log is None:
            return ""
        log = self.log.read_text(errors="replace").splitlines()
        errors = [line for line in log[:-lines] if re.match(r"E\d{4} ", line)]
        return "\n".join(errors + log[-lines:])

    def stop(self, patience: float = 15, is_done: Callable[[], bool] = lambda: False) -> None:
        """SIGTERM; when the process has ended or is done, or `patience` seconds later, SIGKILL to what is left."""
        if self.process.poll() is None:
            self.process.terminate()
            end = time.monotonic() + patience
            while self.process.poll() is None and not is_done() and time.monotonic() < end:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(LOOK_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            if self.log is None:
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        end = time.monotonic() + patience
        while self.log is not None and living(self.process.pid) and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)


def living(group: int) -> list[int]:
    """The processes of this group that are still there, without those that are dead and wait for their burial."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(int(stat.parent.name))
    return found
