"""The simulation of many GPUs agrees with what is known about one and two."""

import pytest

from loadtest.simulated import curve, fleet


def test_one_caller_gets_the_published_pace() -> None:
    alone = fleet.simulate(gpus=1, gateways=1, callers=1, seconds=60).steps_per_second
    rest = fleet.REST_SECONDS * len(fleet.STEPS) / sum(fleet.STEPS)
    assert alone == pytest.approx(1 / (1 / curve.STEPS_PER_SECOND + fleet.GATEWAY_SECONDS + rest), rel=0.02)


def test_many_callers_fill_the_batches_of_one_gpu() -> None:
    outcome = fleet.simulate(gpus=1, gateways=1, callers=64)
    assert outcome.steps_per_second == pytest.approx(fleet.most("a100"), rel=0.02)
    assert outcome.rows_in_full_batches > 0.97


def test_two_gpus_make_twice_as_much() -> None:
    """As the report measures it with two Tritons (loadtest/bench/replicas.py)."""
    one, two = (fleet.simulate(gpus=gpus, gateways=1, callers=48).steps_per_second for gpus in (1, 2))
    assert 1.95 <= two / one <= 2.05


def test_same_seed_gives_the_same_outcome() -> None:
    assert fleet.simulate(4, 2, 64, seconds=2) == fleet.simulate(4, 2, 64, seconds=2)
