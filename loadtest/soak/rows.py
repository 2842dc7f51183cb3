"""The accounts: what the gateway asked of the model servers' models, against what these say they have executed.

The gateway counts, for each model and replica, its attempts and their rows by what came of them: delivered (an answer
came), failed (the replica broke off, or was given up for another one), abandoned (nobody wanted the answer any more).
Triton counts, since the start of its process, the requests that it has answered well, and their rows. Nobody but the
gateway calls it, so for every model, between two instants of a process' life at which nothing is under way,

    delivered <= executed <= delivered + failed + abandoned

holds for rows as for requests: what was delivered had been executed, and what was executed somebody had asked for.
Hence both are equal wherever nothing failed or was abandoned. And of what was executed for nobody, each request had at
least one row and at most a full batch:

    executed requests - delivered attempts  <=  executed rows - delivered rows  <=  that, times the largest batch

A process that was killed tells no more. It was asked just before, after the gateway had been: so

    delivered by then  <=  executed by then  <=  delivered + failed + abandoned until all that was under way has ended
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

T = TypeVar("T")

STILL_SECONDS = 2  # longer than any batch takes
POLL_SECONDS = 0.25
PATIENCE_SECONDS = 120
COUNTED_SECONDS = 0.2  # Triton counts a batch a moment after it has answered it
STATISTICS_SECONDS = 10

_COUNTER = re.compile(r"^arc2face_model_(rows|attempts)_total\{([^}]*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Asked(NamedTuple):
    """What the gateway asked of a model at a replica."""

    delivered_rows: int = 0
    failed_rows: int = 0
    abandoned_rows: int = 0
    delivered_attempts: int = 0
    failed_attempts: int = 0
    abandoned_attempts: int = 0

    def since(self, earlier: "Asked") -> "Asked":
        return Asked(*(now - then for now, then in zip(self, earlier, strict=True)))

    @property
    def rows(self) -> int:
        return self.delivered_rows + self.failed_rows + self.abandoned_rows

    @property
    def attempts(self) -> int:
        return self.delivered_attempts + self.failed_attempts + self.abandoned_attempts


class Executed(NamedTuple):
    """What a model says that it has answered well."""

    rows: int = 0
    requests: int = 0

    def since(self, earlier: "Executed") -> "Executed":
        return Executed(*(now - then for now, then in zip(self, earlier, strict=True)))


NOTHING_ASKED, NOTHING_EXECUTED = Asked(), Executed()


@dataclass(frozen=True)
class Span:
    """A model's share of a stretch of a process' life."""

    replica: str
    lifetime: int
    model: str
    largest_batch: int
    end: str  # "quiet", or the fault that ended it
    least: Asked  # what had been asked before Triton was
    asked: Asked
    executed: Executed

    @property
    def violations(self) -> Sequence[str]:
        """Each inequality that does not hold."""
        least, asked, executed = self.least, self.asked, self.executed
        further = executed.requests - asked.delivered_attempts
        claims = {
            f"{least.delivered_rows} rows delivered, only {executed.rows} executed": (
                least.delivered_rows <= executed.rows
            ),
            f"{executed.rows} rows executed, only {asked.rows} asked for": executed.rows <= asked.rows,
            f"{least.delivered_attempts} requests delivered, only {executed.requests} executed": (
                least.delivered_attempts <= executed.requests
            ),
            f"{executed.requests} requests executed, only {asked.attempts} made": (
                executed.requests <= asked.attempts
            ),
        }
        if self.end == "quiet":
            extra = executed.rows - asked.delivered_rows
            claims[f"{extra} rows for nobody, in {further} requests"] = (
                further <= extra <= self.largest_batch * further
            )
        return [claim for claim, holds in claims.items() if not holds]

    @property
    def is_exact(self) -> bool:
        """Whether executed and delivered must be equal, and are."""
        return self.end == "quiet" and self.asked.rows == self.asked.delivered_rows == self.executed.rows


class Mark(NamedTuple):
    """How a replica's accounts were just before its end."""

    asked: Mapping[str, Asked]
    executed: Mapping[str, Executed]


class _Beginning(NamedTuple):
    """Of a span."""

    lifetime: int
    asked: Mapping[str, Asked]
    executed: Mapping[str, Executed]


class Ledger:
    """The spans of all replicas, as they end. One thread at a time."""

    def __init__(
        self, metrics: Callable[[], str], replicas: Sequence[str], largest_batches: Mapping[str, int]
    ) -> None:
        """`metrics`: the gateway's, in Prometheus' text format; it has not called others than these processes."""
        self.metrics = metrics
        self.largest_batches = largest_batches
        self.beginnings = dict.fromkeys(replicas, _Beginning(1, {}, {}))
        self.spans: list[Span] = []

    def quiet(self) -> None:
        """Nobody calls: as soon as nothing is under way, the spans of all replicas end here and new ones begin."""
        asked, executed = settled(
            lambda: (
                read_asked(self.metrics()),
                {replica: read_executed(replica) for replica in self.beginnings},
            )
        )
        for replica, beginning in self.beginnings.items():
            now = asked.get(replica, {})
            self._close(replica, "quiet", now, now, executed[replica])
            self.beginnings[replica] = _Beginning(beginning.lifetime, now, executed[replica])

    def mark(self, replica: str) -> Mark:
        """To be taken just before a process ends."""
        asked = self._asked(replica)
        time.sleep(COUNTED_SECONDS)
        return Mark(asked, read_executed(replica))

    def end(self, replica: str, mark: Mark, fault: str) -> None:
        """The process has ended, and the next one has not begun; waits until nothing is under way to it any more."""
        asked = settled(lambda: self._asked(replica))
        self._close(replica, fault, mark.asked, asked, mark.executed)
        self.beginnings[replica] = _Beginning(self.beginnings[replica].lifetime + 1, asked, {})

    def _asked(self, replica: str) -> Mapping[str, Asked]:
        return read_asked(self.metrics()).get(replica, {})

    def _close(
        self,
        replica: str,
        end: str,
        least: Mapping[str, Asked],
        asked: Mapping[str, Asked],
        executed: Mapping[str, Executed],
    ) -> None:
        lifetime, asked_before, executed_before = self.beginnings[replica]
        for model, largest in self.largest_batches.items():
            before = asked_before.get(model, NOTHING_ASKED)
            self.spans.append(
                Span(
                    replica,
                    lifetime,
                    model,
                    largest,
                    end,
                    least.get(model, NOTHING_ASKED).since(before),
                    asked.get(model, NOTHING_ASKED).since(before),
                    executed.get(model, NOTHING_EXECUTED).since(executed_before.get(model, NOTHING_EXECUTED)),
                )
            )


def settled(read: Callable[[], T]) -> T:
    """What is read once it has not changed for a while."""
    value, since = read(), time.monotonic()
    deadline = since + PATIENCE_SECONDS
    while time.monotonic() - since < STILL_SECONDS:
        if time.monotonic() > deadline:
            raise RuntimeError(f"nobody calls, and yet something goes on: {value}")
        time.sleep(POLL_SECONDS)
        now = read()
        if now != value:
            value, since = now, time.monotonic()
    return value


def read_asked(metrics: str) -> Mapping[str, Mapping[str, Asked]]:
    """By replica and model, out of the gateway's metrics."""
    found: dict[str, dict[str, Asked]] = {}
    for what, labels, value in _COUNTER.findall(metrics):
        label = dict(_LABEL.findall(labels))
        models = found.setdefault(label["replica"], {})
        before = models.get(label["model"], NOTHING_ASKED)
        models[label["model"]] = before._replace(**{f"{label['outcome']}_{what}": int(float(value))})
    return found


def read_executed(replica: str) -> Mapping[str, Executed]:
    """By model, since the process' start, at this address (host:port)."""
    with grpc.insecure_channel(replica) as channel:
        triton = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        answer = triton.ModelStatistics(service_pb2.ModelStatisticsRequest(), timeout=STATISTICS_SECONDS)
    return {
        model.name: Executed(model.inference_count, model.inference_stats.success.count)
        for model in answer.model_stats
    }
