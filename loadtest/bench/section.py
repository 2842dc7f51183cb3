"""What an experiment gives the report: lines that promise something, tables, plots, and every single measurement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Line:
    """A promise and what became of it."""

    claim: str
    required: str
    measured: str
    met: bool


@dataclass(frozen=True)
class Table:
    """Numbers as text, below a caption."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Plot:
    """Series of (x, y) points, as lines or bars; `log_x` for sizes that double."""

    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    bars: bool = False
    log_x: bool = False


@dataclass(frozen=True)
class Section:
    """An experiment's part of the report. `raw` is kept beside the report as it is."""

    title: str
    text: str
    lines: Sequence[Line] = ()
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(json: Mapping[str, Any]) -> "Section":
        """The inverse of dataclasses.asdict."""
        return Section(
            json["title"],
            json["text"],
            [Line(**line) for line in json["lines"]],
            [Table(**table) for table in json["tables"]],
            [Plot(**plot) for plot in json["plots"]],
            json["raw"],
        )


def number_of(callers: int) -> str:
    return "1 caller" if callers == 1 else f"{callers} callers"
