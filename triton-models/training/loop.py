"""Runs a stage of training to its end, over as many interruptions as there are.

The checkpoint holds everything that the next step depends on, the random generator too, so that a training that was
interrupted ends with the same weights, bit for bit, as one that was not. Beside it lies a log, one JSON line a step.
"""

import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from tqdm import tqdm

from training import checkpoint
from training.device import random_state, set_random_state

SAVE_SECONDS = 180
SMOOTHING = 0.98  # of what the progress bar shows


class Stage(Protocol):
    """Something that is trained step by step."""

    @property
    def step(self) -> int: ...

    def advance(self) -> dict[str, float]:
        """One step; its losses by name."""

    def state(self) -> dict[str, Any]:
        """All of its state but the random generator's."""

    def restore(self, state: dict[str, Any]) -> None: ...


def run(stage: Stage, path: Path, until: int, save_seconds: float = SAVE_SECONDS) -> None:
    """Advances to step `until` from the checkpoint `path` on, if there is one.

    SIGTERM and SIGINT end the process after the present step, saved.
    """
    log = path.with_suffix(".jsonl")
    if path.exists():
        state = checkpoint.load(path)
        set_random_state(state["random"])
        stage.restore(state)
    _forget_after(log, stage.step)
    lines: list[str] = []

    def save() -> None:
        with log.open("a") as file:
            file.writelines(lines)
        lines.clear()
        checkpoint.save({**stage.state(), "random": random_state()}, path)

    with (
        _Stop() as stop,
        tqdm(desc=path.stem, unit="step", initial=stage.step, total=until, mininterval=2) as bar,
    ):
        smooth: dict[str, float] = {}
        saved = time.monotonic()
        while stage.step < until and not stop.asked:
            start = time.monotonic()
            losses = stage.advance()
            seconds = time.monotonic() - start
            lines.append(json.dumps({"step": stage.step, **losses, "seconds": round(seconds, 3)}) + "\n")
            for name, value in losses.items():
                smooth[name] = SMOOTHING * smooth.get(name, value) + (1 - SMOOTHING) * value
            bar.set_postfix({name: f"{value:.4f}" for name, value in smooth.items()}, refresh=False)
            bar.update()
            if time.monotonic() - saved >= save_seconds:
                save()
                saved = time.monotonic()
        if lines:
            save()
    if stage.step < until:
        raise SystemExit(f"{path.stem}: stopped after step {stage.step}; run it again to go on")


def _forget_after(log: Path, step: int) -> None:
    """Removes the lines of steps that no checkpoint holds: they are about to be made again."""
    if log.exists():
        lines = log.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        log.write_text("".join(kept))


class _Stop:
    """Whether a signal has asked the process to end."""

    def __init__(self) -> None:
        self.asked = False

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked = True

    def __enter__(self) -> "_Stop":
        self._before = {
            number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
