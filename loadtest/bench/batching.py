"""How Triton should join steps: the delay that it may wait for more rows, preferred sizes, instances, threads.

Callers in a closed loop: what their last batch answered comes back together, so that full batches form by themselves.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from export.repository import link
from loadtest.bench import servers, steps
from loadtest.bench.section import Line, Plot, Section, Table, number_of
from loadtest.bench.statistics import Batches

FULL = 16


@dataclass(frozen=True)
class Setting:
    """Of the model `unet`; the first one is what is served."""

    delay_us: int = 0
    preferred: int = 0
    instances: int = 1
    threads: int = 0  # of a model, 0 for all cores

    def __str__(self) -> str:
        parts = [f"delay {self.delay_us} us" if self.delay_us else "no delay"]
        parts += [f"preferred size {self.preferred}"] if self.preferred else []
        parts += [f"{self.instances} instances"] if self.instances > 1 else []
        parts += [f"{self.threads} thread"] if self.threads else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Plan:
    """`settings` by profile; the histogram is of the first one and the most callers."""

    settings: Mapping[str, Sequence[Setting]] = field(
        default_factory=lambda: {
            "simulated": (
                Setting(),
                *(Setting(delay_us=us) for us in (500, 1000, 2000, 5000)),
                Setting(preferred=8),
                Setting(delay_us=2000, preferred=16),
                Setting(instances=2),
            ),
            "mini": (
                Setting(),
                Setting(delay_us=1000),
                Setting(delay_us=5000),
                Setting(instances=2),
                Setting(threads=1),
            ),
        }
    )
    callers: Sequence[int] = (1, 4, 16, 64)
    seconds: float = 5


def measure(plan: Plan, work: Path) -> Section:
    rows, raw = [], []
    plots, lines = [], []
    for profile, settings in plan.settings.items():
        curves: dict[str, list[tuple[float, float]]] = {}
        for setting in settings:
            models = repository(profile, setting, work)
            running = f"-Darc2face.limits.max-running={max(plan.callers)}"
            with (
                servers.triton(models, work, setting.threads) as triton,
                servers.gateway([triton], work, running) as served,
            ):
                steps.measure(served, 16, plan.seconds, 70)
                for callers in plan.callers:
                    before = Batches.read(triton, "unet")
                    through = steps.measure(served, callers, plan.seconds, 70)
                    made = Batches.read(triton, "unet").since(before)
                    curves.setdefault(str(setting), []).append((callers, through.steps_per_second))
                    rows.append(
                        (
                            profile,
                            str(setting),
                            str(callers),
                            f"{through.steps_per_second:.1f}",
                            f"{through.step_p95_ms:.0f}",
                            f"{made.mean:.1f}",
                            f"{made.share_of_rows(FULL):.0%}",
                        )
                    )
                    raw.append(
                        {
                            "profile": profile,
                            "setting": asdict(setting),
                            "callers": callers,
                            "through": asdict(through),
                            "batches": dict(sorted(made.executions.items())),
                        }
                    )
            if setting == settings[0]:
                plots.append(histogram(profile, callers, made))
                lines.append(
                    Line(
                        f"Rows in full batches of {FULL} without any delay, {profile}, {number_of(callers)}",
                        "shown; expected nearly all",
                        f"{made.share_of_rows(FULL):.1%}",
                        made.share_of_rows(FULL) >= 0.9,
                    )
                )
        plots.append(
            Plot(f"Steps a second by setting, {profile}", "callers", "steps a second", curves, log_x=True)
        )
    table = Table(
        "Rows of a batch are a mean; full means 16 rows",
        ("profile", "setting", "callers", "steps/s", "p95 ms", "rows of a batch", "rows in full batches"),
        rows,
    )
    return Section("Batching", __doc__ or "", lines, [table], plots, {"runs": raw})


def histogram(profile: str, callers: int, made: Batches) -> Plot:
    return Plot(
        f"Rows of a batch by Triton's own count, {profile}, {number_of(callers)}, no delay",
        "rows of a batch",
        "batches",
        {"batches": sorted((float(size), float(count)) for size, count in made.executions.items())},
        bars=True,
    )


def repository(profile: str, setting: Setting, work: Path) -> Path:
    """The profile's models, with the setting in the configuration of `unet`."""
    source = servers.repository(profile, work)
    name = re.sub(r"\W+", "-", str(setting))
    out = work / "settings" / f"{profile}-{name}"
    link(source, out, but="unet")
    unet = out / "unet"
    unet.mkdir()
    (unet / "1").symlink_to((source / "unet" / "1").resolve())
    (unet / "config.pbtxt").write_text(configured((source / "unet/config.pbtxt").read_text(), setting))
    return out


def configured(config: str, setting: Setting) -> str:
    batching: list[Any] = []
    if setting.delay_us:
        batching.append(f"max_queue_delay_microseconds: {setting.delay_us}")
    if setting.preferred:
        batching.append(f"preferred_batch_size: [{setting.preferred}]")
    changed = config.replace("dynamic_batching {}", f"dynamic_batching {{ {' '.join(batching)} }}")
    return changed.replace("count: 1 }", f"count: {setting.instances} }}")
