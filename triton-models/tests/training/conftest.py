"""Runs in the environment of requirements/train.txt (`make test-training`); elsewhere there is nothing to collect."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import nn

    from training.identity_loss import IdentityLoss
    from training.latents import LatentFaces

if find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]

FACES = 6  # and as many mirror images


@pytest.fixture(autouse=True)
def same_numbers_every_time() -> None:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def recogniser() -> "nn.Module":
    from tests.training.small_networks import SmallRecogniser
    from training import checkpoint

    return checkpoint.freeze(SmallRecogniser())


@pytest.fixture
def identity_loss(recogniser: "nn.Module") -> "IdentityLoss":
    from tests.training.small_networks import small_autoencoder
    from training import checkpoint
    from training.identity_loss import IdentityLoss

    return IdentityLoss(checkpoint.freeze(small_autoencoder().decoder), recogniser)


@pytest.fixture
def faces() -> "LatentFaces":
    """Random ones, of large areas, which are easily learnt."""
    import torch
    from torch.nn import functional as F

    from training.alignment import PORTRAIT_TEMPLATE
    from training.latents import VIEWS, LatentFaces
    from training.networks import EMBEDDING

    latents = F.interpolate(torch.randn(2 * FACES, 4, 2, 2), 16).half()
    embeddings = F.normalize(torch.randn(2 * FACES, VIEWS, EMBEDDING), dim=-1).half()
    return LatentFaces(latents, embeddings, PORTRAIT_TEMPLATE.repeat(2 * FACES, 1, 1))


@pytest.fixture
def networks() -> "nn.ModuleDict":
    """Identity encoder and UNet."""
    from tests.training.small_networks import DIFFUSION
    from training import checkpoint

    return checkpoint.build_diffusion(DIFFUSION)
