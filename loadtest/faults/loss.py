"""All replicas die at once, and come back."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from evaluation.api import Gateway, message, status
from loadtest.faults.callers import Callers, Outcome
from loadtest.faults.replica import Replica

DEADLINE_SECONDS = 120  # of every call
RECOVERY_SECONDS = 10
AWAY = "UNAVAILABLE MODEL_SERVER_UNAVAILABLE"


@dataclass(frozen=True)
class Loss:
    """What came of it; seconds."""

    replicas: int
    outcomes: Sequence[str]  # of the calls that ran, each kind once
    told_seconds: float  # after the loss, to the last of them
    refusal: str  # of a call that was made while all were away
    refused_seconds: float
    recovery_seconds: float  # from the first replica's return to the start of the first call that ended well
    recovered: bool  # within the time, and to the same bytes

    @property
    def survived(self) -> bool:
        return set(self.outcomes) == {AWAY} and self.refusal == AWAY and self.recovered


def lose_all(run: Callers, calm: Sequence[Outcome], replicas: Sequence[Replica]) -> Loss:
    """While all callers are between their steps."""
    halfway = min(o.ended - o.instants[0] for o in calm) / 2
    lost = []

    def strike() -> None:
        time.sleep(halfway)
        for replica in replicas:
            replica.signal(signal.SIGKILL)
        lost.append(time.monotonic())

    outcomes = run(strike, DEADLINE_SECONDS)
    began = time.monotonic()
    refusal = refused(run.target)
    refused_seconds = time.monotonic() - began
    first, *others = replicas
    first.restart()
    back = time.monotonic()
    picture, seconds = first_picture(run, back)
    for replica in others:
        replica.restart()
    return Loss(
        len(replicas),
        sorted({o.failure or "OK" for o in outcomes}),
        max(o.ended for o in outcomes) - lost[0],
        refusal,
        refused_seconds,
        seconds,
        picture == calm[0].picture,
    )


def refused(target: str) -> str:
    with Gateway(target) as gateway:
        try:
            gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
        except grpc.RpcError as error:
            return status(error)
    return "OK"


def first_picture(run: Callers, back: float) -> tuple[bytes, float]:
    """Of the first call that ends well, and how long after that instant it began; none if that takes too long."""
    one = Callers(run.target, 1)
    while (began := time.monotonic()) < back + RECOVERY_SECONDS:
        try:
            (only,) = one()
            if not only.failure:
                return only.picture, began - back
        except grpc.RpcError:
            time.sleep(0.1)
    return b"", began - back
