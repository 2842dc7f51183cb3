"""Measuring the same in turns, and what the repetitions amount to."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

Key = TypeVar("Key")
Measured = TypeVar("Measured")


def in_turns(rounds: int, runs: Mapping[Key, Callable[[], Measured]]) -> list[dict[Key, Measured]]:
    """Each run once a round; which of them comes first changes from round to round."""
    keys = list(runs)
    results = []
    for number in range(rounds):
        first = -number % len(keys)
        results.append({key: runs[key]() for key in keys[first:] + keys[:first]})
    return results


def spread(values: Sequence[float]) -> str:
    """The median and its 95 % interval, to be read."""
    return "{:.3f} ({:.3f} to {:.3f})".format(median(values), *interval(values))


def interval(values: Sequence[float], resamples: int = 10_000) -> tuple[float, float]:
    """The 95 % interval of the median, by bootstrap."""
    draws = np.random.default_rng(0).choice(np.asarray(values), (resamples, len(values)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return float(low), float(high)


def median(values: Sequence[float]) -> float:
    return float(np.median(values))
