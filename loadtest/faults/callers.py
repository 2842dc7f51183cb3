"""The same generations each time, all at once, as their callers see them."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc

from evaluation.api import GENERATION_SECONDS, Gateway, message, status
from loadtest.bench import steps

STEPS = 12
SERVICE_SECONDS = 30


@dataclass(frozen=True)
class Outcome:
    """What a caller got: its picture, and when the call began and every event came, or what it failed with."""

    picture: bytes
    instants: Sequence[float]
    ended: float
    failure: str = ""

    @property
    def gaps(self) -> Sequence[float]:
        """Seconds that the caller waited for each event."""
        return [after - before for before, after in zip(self.instants, self.instants[1:], strict=False)]


class Callers:
    """Called, it makes them, `meanwhile` beside them."""

    def __init__(self, target: str, count: int) -> None:
        self.target, self.count = target, count

    def __call__(
        self, meanwhile: Callable[[], None] = lambda: None, deadline: float = GENERATION_SECONDS
    ) -> list[Outcome]:
        with Gateway(self.target) as gateway, ThreadPoolExecutor(self.count) as pool:
            info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
            requests = [steps.request(info, number, STEPS) for number in range(self.count)]
            side = threading.Thread(target=meanwhile)
            side.start()
            outcomes = list(pool.map(lambda request: outcome(gateway, request, deadline), requests))
            side.join()
        return outcomes

    def await_service(self) -> None:
        """Until the gateway has seen what is there again: it looks every second."""
        with Gateway(self.target) as gateway:
            patient = time.monotonic() + SERVICE_SECONDS
            while True:
                try:
                    gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
                    return
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > patient:
                        raise
                    time.sleep(0.1)


def outcome(gateway: Gateway, request: Any, deadline: float = GENERATION_SECONDS) -> Outcome:
    picture, instants, failure = b"", [time.monotonic()], ""
    try:
        for event in gateway.generate(request, deadline):
            if not event.HasField("queued"):
                instants.append(time.monotonic())
            if event.HasField("image"):
                picture = event.image.data
    except grpc.RpcError as error:
        failure = status(error)
    return Outcome(picture, instants, time.monotonic(), failure)
