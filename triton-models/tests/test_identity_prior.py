"""The distribution that new identities are drawn from: it is that of the embeddings, and always the same file."""

import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation import held_out
from training import identity_prior


@pytest.fixture
def embeddings() -> np.ndarray:
    """Unit embeddings [4000,24] of a known spread around a known mean, far smaller than 1 so that it stays normal."""
    random = np.random.default_rng(3)
    spread = random.standard_normal((24, 24)) * 0.01
    return identity_prior.unit(np.eye(24)[0] + random.standard_normal((4000, 24)) @ spread)


def test_mean_and_covariance_are_those_of_the_embeddings(embeddings: np.ndarray) -> None:
    mean, factors = identity_prior.fit(embeddings)
    assert np.allclose(mean, embeddings.mean(axis=0), atol=1e-6)
    assert np.allclose(factors.T @ factors, np.cov(embeddings.T), atol=1e-8)
    lengths = np.linalg.norm(factors, axis=1)
    assert (np.diff(lengths) <= 1e-7).all()
    assert np.allclose(factors @ factors.T, np.diag(lengths**2), atol=1e-8)


def test_fewer_components_are_the_longest(embeddings: np.ndarray) -> None:
    _, all_of_them = identity_prior.fit(embeddings)
    _, some = identity_prior.fit(embeddings, components=5)
    assert np.array_equal(some, all_of_them[:5])


def test_draws_are_spread_like_the_embeddings() -> None:
    people = identity_prior.unit(held_out.embeddings())
    drawn = identity_prior.draw(*identity_prior.fit(people), 4000, seed=1)
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1)
    expected, found = identity_prior.cosines(people, 0), identity_prior.cosines(drawn, 0)
    assert found["mean"] == pytest.approx(expected["mean"], abs=0.03)
    assert found["95%"] == pytest.approx(expected["95%"], abs=0.08)
    random = np.random.default_rng(0).standard_normal((4000, people.shape[1]))
    anywhere = identity_prior.cosines(identity_prior.unit(random), 0)
    assert anywhere["95%"] < expected["95%"] / 2, "a random point of the sphere would do as well"


def test_the_same_embeddings_give_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    exact = held_out.embeddings().astype(np.float16)
    np.savez(runs / "latents.npz", embeddings=np.stack([exact, exact[::-1]], axis=1))
    files = [tmp_path / "one.npz", tmp_path / "two.npz"]
    kept = tmp_path / "kept.npy"
    for file in files:
        command = ["identity_prior", "--runs", str(runs), "--out", str(file), "--keep-embeddings", str(kept)]
        monkeypatch.setattr(sys, "argv", command)
        identity_prior.main()
    assert files[0].read_bytes() == files[1].read_bytes()
    with np.load(files[0]) as prior:
        assert str(prior["recogniser_id"]) == held_out.RECOGNISER
        mean, _ = identity_prior.fit(identity_prior.unit(exact))
        assert np.array_equal(prior["mean"], mean)
    assert np.allclose(np.load(kept), identity_prior.unit(exact), atol=1e-3)
