"""Figures of samples: spreads, the area under the curve, Fréchet's distance; None where there is no sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 40


def mean(values: Sequence[float] | np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None


def summary(values: Sequence[float] | np.ndarray) -> dict[str, Any] | None:
    """How many, their mean, standard deviation and quantiles."""
    if not len(values):
        return None
    quantiles = np.quantile(values, (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1))
    names = ("least", "p5", "p25", "median", "p75", "p95", "most")
    return {
        "count": len(values),
        "mean": float(np.mean(values)),
        "deviation": float(np.std(values)),
        **dict(zip(names, quantiles.tolist(), strict=True)),
    }


def histogram(values: Sequence[float] | np.ndarray, low: float, high: float) -> list[float]:
    """Shares of the values in bins of equal width between `low` and `high`, what lies outside in the outer ones."""
    counts, _ = np.histogram(np.clip(values, low, high), BINS, (low, high))
    return (counts / max(1, len(values))).tolist()


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float | None:
    """The probability that a positive scores above a negative, ties counted half: the area under the ROC curve."""
    if not len(positive) or not len(negative):
        return None
    ordered = np.sort(negative)
    below, not_above = (np.searchsorted(ordered, positive, side) for side in ("left", "right"))
    return float((below + not_above).mean() / (2 * len(negative)))


def threshold(different: np.ndarray, share: float) -> float | None:
    """The score that only this share of pairs of different people exceeds; None where the pairs are too few to say."""
    return float(np.quantile(different, 1 - share)) if len(different) * share >= 1 else None


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float | None:
    """Between the Gaussians of two samples [N,D] and [M,D] (Dowson & Landau, 1982; as in Heusel et al., 2017)."""
    if min(len(first), len(second)) < 2:
        return None
    difference = first.mean(0) - second.mean(0)
    one, other = (np.atleast_2d(np.cov(sample, rowvar=False)) for sample in (first, second))
    # The trace of (one other)^(1/2) by the symmetric matrix that has the same eigenvalues as one other.
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    both = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
    return float(difference @ difference + np.trace(one) + np.trace(other) - 2 * both)


def mean_pairwise_distance(rows: np.ndarray) -> float | None:
    """Mean Euclidean distance between two different rows of [N,D]."""
    if len(rows) < 2:
        return None
    first, second = np.triu_indices(len(rows), 1)
    return float(np.linalg.norm(rows[first] - rows[second], axis=1).mean())
