"""The measurement's figures against their definitions."""

import numpy as np
import pytest

from evaluation.pose import HEAD, yaw_and_pitch
from evaluation.statistics import (
    area_under_curve,
    frechet_distance,
    histogram,
    mean_pairwise_distance,
    summary,
    threshold,
)

random = np.random.default_rng(1)


def test_area_under_curve_counts_pairs_in_the_right_order() -> None:
    positive, negative = random.integers(0, 20, 50), random.integers(-5, 15, 70)
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    assert area_under_curve(positive, negative) == pytest.approx(np.mean(pairs))
    assert area_under_curve(np.array([2.0]), np.array([1.0])) == 1
    assert area_under_curve(negative, negative) == pytest.approx(0.5)
    assert area_under_curve(positive, np.array([])) is None


def test_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    rows = random.standard_normal((4000, 5))
    rows = (rows - rows.mean(0)) @ np.linalg.inv(
        np.linalg.cholesky(np.cov(rows, rowvar=False))
    ).T  # exactly N(0, 1)
    scale, shift = np.array([1.0, 2, 3, 0.5, 1]), np.array([1.0, 0, 0, 0, -2])
    expected = np.square(shift).sum() + np.square(scale - 1).sum()
    assert frechet_distance(rows, rows * scale + shift) == pytest.approx(expected)
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    turn, _ = np.linalg.qr(random.standard_normal((5, 5)))
    assert frechet_distance(rows @ turn, (rows * scale + shift) @ turn) == pytest.approx(expected)


def test_frechet_distance_takes_fewer_rows_than_features() -> None:
    one, other = random.standard_normal((2, 6, 50))
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-4)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one))
    assert frechet_distance(one[:1], other) is None


def test_threshold_lets_the_share_through() -> None:
    different = random.standard_normal(100_000)
    assert (different > threshold(different, 0.001)).mean() == pytest.approx(0.001, rel=0.01)
    assert threshold(different[:100], 0.001) is None


def test_summary_and_histogram_of_a_sample() -> None:
    values = np.linspace(0, 1, 101)
    found = summary(values)
    assert (found["count"], found["mean"], found["p5"], found["median"]) == pytest.approx(
        (101, 0.5, 0.05, 0.5)
    )
    assert sum(histogram(values, 0.2, 0.8)) == pytest.approx(1)  # nothing falls out
    assert summary([]) is None
    assert mean_pairwise_distance(np.array([[0.0, 0], [3, 4], [0, 0]])) == pytest.approx(10 / 3)


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (20, 0), (0, 15), (-30, 10), (12, -25)])
def test_pose_is_that_of_a_turned_head(yaw: float, pitch: float) -> None:
    a, b = np.radians([yaw, pitch])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    seen = 37 * (HEAD @ (nod @ turn).T)[:, :2] + [50, 60]
    assert yaw_and_pitch(seen) == pytest.approx((yaw, pitch))
