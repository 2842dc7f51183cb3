"""A progress bar on standard error: what is done, how much of it, how long the rest takes."""

import sys
import threading
import time

WIDTH = 30
LINES_APART = 10.0  # seconds between lines where standard error is no terminal


class Bar:
    """A context manager. Work that an earlier run has done counts as done, but not for the speed."""

    def __init__(self, name: str, total: int, done: int = 0) -> None:
        self.name, self.total, self.done, self.before = name, total, done, done
        self.start = self.shown = time.monotonic()
        self.lock = threading.Lock()

    def __enter__(self) -> "Bar":
        self._show("\r" if sys.stderr.isatty() else "\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._show("\n")

    def advance(self, count: int = 1) -> None:
        """Says that so much more is done; from any thread."""
        with self.lock:
            self.done += count
            if sys.stderr.isatty():
                self._show("\r")
            elif time.monotonic() - self.shown > LINES_APART:
                self._show("\n")

    def _show(self, end: str) -> None:
        self.shown = time.monotonic()
        filled = WIDTH * self.done // max(1, self.total)
        seconds = self.shown - self.start
        made = self.done - self.before
        left = f"{seconds / made * (self.total - self.done):.0f} s left" if made else ""
        bar = "#" * filled + "." * (WIDTH - filled)
        print(
            f"{self.name:24} {bar} {self.done}/{self.total} {left:12}", end=end, file=sys.stderr, flush=True
        )
