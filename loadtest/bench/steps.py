"""Steps per second through the gateway, in its callers' eyes: what arrives as step progress while all of them step."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.api import Gateway, message, nobody
from loadtest.bench.servers import Served

LEAST_STEPS, MOST_STEPS = 12, 100  # of a generation
MOST_COMPILING = 0.02  # of a core


@dataclass(frozen=True)
class Through:
    """What one run through the gateway measured."""

    steps_per_second: float
    cpu_seconds_per_step: float  # of the gateway
    caller_cpu_seconds_per_step: float
    step_p50_ms: float  # between two steps of a caller
    step_p95_ms: float


def measure(served: Served, callers: int, seconds: float, expected: float) -> Through:
    """Generations of one guided picture by `callers` at once, counted while all of them are between their steps.

    `expected` steps per second, roughly, sizes the generations. A single caller makes one after the other, and what
    lies between two of them is left out.
    """
    steps = min(MOST_STEPS, max(LEAST_STEPS, round(expected * seconds / callers)))
    generations = max(1, round(expected * seconds / steps)) if callers == 1 else 1
    with Gateway(served.target) as gateway:
        info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
        requests = [request(info, number, steps) for number in range(callers)]
        ready = threading.Barrier(callers)

        def call(number: int) -> list[list[float]]:
            ready.wait()
            return [_arrivals(gateway, requests[number]) for _ in range(generations)]

        before, own_before = served.gateway.cpu_seconds(), time.process_time()
        with ThreadPoolExecutor(callers) as pool:
            streams = [stream for streams in pool.map(call, range(callers)) for stream in streams]
        cpu, own_cpu = served.gateway.cpu_seconds() - before, time.process_time() - own_before
    gaps = np.concatenate([np.diff(stream) for stream in streams])
    if callers == 1:
        rate = 1 / gaps.mean()
    else:
        start, end = max(stream[0] for stream in streams), min(stream[-1] for stream in streams)
        rate = sum(start < at <= end for stream in streams for at in stream) / (end - start)
    p50, p95 = 1000 * np.percentile(gaps, [50, 95])
    done = sum(len(stream) for stream in streams)
    return Through(float(rate), cpu / done, own_cpu / done, float(p50), float(p95))


def warm(served: Served, rounds: int = 16, seconds: float = 8) -> None:
    """Loads the gateway until its JVM compiles hardly anything any more, or for so many rounds.

    It would else be a compiler that is measured: on two cores the JVM compiles for several minutes of steady load, and
    that takes more than what the gateway itself does.
    """
    for _ in range(rounds):
        before, began = served.gateway.jit_seconds(), time.monotonic()
        for callers in (16, 1):
            measure(served, callers, seconds, 70)
        if served.gateway.jit_seconds() - before < MOST_COMPILING * (time.monotonic() - began):
            return


def request(info: Any, number: int, steps: int) -> Any:
    """For one guided picture of nobody in particular, a different one for each number."""
    return message(
        "GenerateRequest",
        identity=nobody(info, number),
        steps=steps,
        guidance_scale=3.0,
        seed=number,
        preview_every=0,
    )


def _arrivals(gateway: Gateway, request: Any) -> list[float]:
    """When each step's progress came, seconds."""
    return [time.monotonic() for event in gateway.generate(request) if event.HasField("step_progress")]
