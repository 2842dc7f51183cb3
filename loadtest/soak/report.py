"""What a soak comes to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtest.soak import resources
from loadtest.soak.calls import Record
from loadtest.soak.resources import Figures, Growth, Sample
from loadtest.soak.rows import Span

FIRST, LAST = "10 %", "100 %"
SHOWN = (FIRST, "50 %", LAST, "quiet")


@dataclass
class Soak:
    """All that was seen."""

    minutes: float
    seed: int
    callers: int
    records: list[Record] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    delivered_rows: int = 0  # of the UNet's, as the gateway counts
    pauses: dict[str, Figures] = field(default_factory=dict)  # by how much of the load was over
    samples: list[Sample] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # that the gateway logged

    @property
    def seen_rows(self) -> int:
        """Of the UNet's, as the callers count: those of the steps that they have heard of."""
        return sum(record.rows for record in self.records)

    @property
    def growth(self) -> Sequence[Growth]:
        return resources.growth(self.pauses[FIRST], self.pauses[LAST])

    @property
    def failures(self) -> Sequence[str]:
        """Everything that should not be."""
        found = [f"{r.name}, {r.kind}: {r.status}" for r in self.records if not r.is_explained]
        found += [
            f"{g.figure} grew from {g.before:.0f} to {g.after:.0f}" for g in self.growth if not g.is_none
        ]
        found += [
            f"{span.model} at {span.replica}, lifetime {span.lifetime}, until {span.end}: {violation}"
            for span in self.spans
            for violation in span.violations
        ]
        if self.seen_rows > self.delivered_rows:
            found.append(f"callers heard of {self.seen_rows} rows, {self.delivered_rows} were delivered")
        return found + self.errors

    def as_json(self) -> Mapping[str, Any]:
        return {
            **asdict(self),
            "spans": [
                {
                    **asdict(span),
                    **{key: getattr(span, key)._asdict() for key in ("least", "asked", "executed")},
                    "violations": span.violations,
                }
                for span in self.spans
            ],
            "growth": [asdict(g) for g in self.growth],
            "failures": self.failures,
        }

    def as_markdown(self) -> str:
        faults = Counter(fault["kind"] for fault in self.faults)
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items())) or "none"
        failures = self.failures
        return "\n".join(
            [
                f"{self.minutes:g} minutes of load by {self.callers} callers (seed {self.seed}): "
                f"{len(self.records)} calls; faults: {told}.\n",
                *self._figures(),
                *self._accounts(),
                *self._calls(),
                f"**{len(failures)} failures**" if failures else "Nothing failed that should not have.",
                *(f"- {failure}" for failure in failures),
            ]
        )

    def _figures(self) -> Sequence[str]:
        lines = ["| the gateway, while nobody calls | " + " | ".join(SHOWN) + " | growth | allowed |"]
        lines.append("|---" * (len(SHOWN) + 3) + "|")
        for grown in self.growth:
            values = [f"{getattr(self.pauses[pause], grown.figure):.0f}" for pause in SHOWN]
            lines.append(
                f"| {NAMES[grown.figure]} | {' | '.join(values)} "
                f"| {grown.after - grown.before:+.1f} | {grown.allowed:.1f} |"
            )
        return [*lines, ""]

    def _accounts(self) -> Sequence[str]:
        """Sums over the spans that ended in a pause, where everything is known; and how many did not."""
        lines = [
            "| rows | delivered | failed | abandoned | executed | spans | exact | ended by a fault | wrong |",
            "|---" * 9 + "|",
        ]
        for model in dict.fromkeys(span.model for span in self.spans):
            spans = [span for span in self.spans if span.model == model]
            quiet = [span for span in spans if span.end == "quiet"]
            lines.append(
                f"| `{model}` | {sum(s.asked.delivered_rows for s in quiet)} "
                f"| {sum(s.asked.failed_rows for s in quiet)} | {sum(s.asked.abandoned_rows for s in quiet)} "
                f"| {sum(s.executed.rows for s in quiet)} | {len(spans)} | {sum(s.is_exact for s in quiet)} "
                f"| {len(spans) - len(quiet)} | {sum(bool(s.violations) for s in spans)} |"
            )
        return [*lines, ""]

    def _calls(self) -> Sequence[str]:
        lines = ["| calls | | |", "|---|---|---|"]
        for (kind, status), count in sorted(Counter((r.kind, r.status) for r in self.records).items()):
            lines.append(f"| {kind} | {status} | {count} |")
        return [*lines, ""]


NAMES = {
    "threads": "threads",
    "descriptors": "open descriptors",
    "connections": "TCP connections",
    "heap": "heap after GC, MiB",
    "direct": "memory allocated beside the heap, MiB",
    "rss": "resident memory, MiB",
}
