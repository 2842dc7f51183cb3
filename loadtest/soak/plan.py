"""What callers do and what befalls the model servers, decided by the seed alone; only when it happens is not."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

# What a caller does, and how often, in relation to the others.
KINDS = {
    "whole": 30,
    "cancelled": 12,
    "connection cut": 8,
    "channel closed": 6,
    "slow reader": 5,
    "stopped reader": 3,
    "short deadline": 8,
    "cancelled by name": 5,
    "finished and resumed": 8,
    "invalid": 8,
    "faces": 12,
    "faces, short deadline": 3,
    "request withheld": 2,
    "no HTTP/2": 2,
}
IDENTITIES = {"photo": 4, "crop": 2, "embedding": 4}
IMAGES = {1: 12, 2: 4, 3: 2, 4: 2}
LEAST_STEPS, MOST_STEPS = 4, 50
MANY_IMAGES = 12  # for a reader who stops: they fill all windows and buffers on the way to it

FAULTS = ("kill", "freeze", "thaw", "restart")


@dataclass(frozen=True)
class Call:
    """What one caller does once."""

    name: str
    kind: str
    identity: str
    images: int
    steps: int
    guided: bool
    preview_every: int
    jpeg: bool
    seed: int
    instant: float  # when the caller does what makes its kind, seconds after the beginning of the call
    which: int  # of several ways to do it


@dataclass(frozen=True)
class Fault:
    """What befalls a replica: `after` so many seconds of peace, for `lasting` seconds."""

    kind: str
    victim: int
    after: float
    lasting: float


def calls(seed: int, caller: int) -> Iterator[Call]:
    """The calls of one caller, without end."""
    randomness = random.Random(f"calls {seed} {caller}")
    number = 0
    while True:
        number += 1
        kind = _one(KINDS, randomness)
        stops = kind == "stopped reader"
        # As many between 4 and 8 steps as between 8 and 16.
        steps = round(LEAST_STEPS * (MOST_STEPS / LEAST_STEPS) ** randomness.random())
        yield Call(
            name=f"soak-{caller}-{number}",
            kind=kind,
            identity=_one(IDENTITIES, randomness),
            images=MANY_IMAGES if stops else _one(IMAGES, randomness),
            steps=LEAST_STEPS if stops else steps,
            guided=randomness.random() < 0.75,
            preview_every=randomness.choice((0, 1, 5)),
            jpeg=randomness.random() < 0.3 and not stops,
            seed=randomness.getrandbits(32),
            instant=min(8.0, randomness.expovariate(1 / 1.5)),
            which=randomness.getrandbits(16),
        )


def faults(seed: int, victims: int) -> Iterator[Fault]:
    """Without end; each kind as often as the others, in another order each time."""
    randomness = random.Random(f"faults {seed}")
    while True:
        for kind in randomness.sample(FAULTS, len(FAULTS)):
            yield Fault(
                kind, randomness.randrange(victims), randomness.uniform(1, 10), randomness.uniform(0, 8)
            )


def _one(weights: Mapping[T, int], randomness: random.Random) -> T:
    (chosen,) = randomness.choices(list(weights), list(weights.values()))
    return chosen
