"""Checkpoints in the folder of the runs: written whole or not at all, read as plain tensors and settings."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.networks import Autoencoder, IdentityEncoder, UNet, UNetSettings

AUTOENCODER, DIFFUSION = "autoencoder.pt", "diffusion.pt"


def save(state: dict[str, Any], path: Path) -> None:
    """Replaces `path` in one step, so that an interrupted training leaves the previous checkpoint."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)


def load_autoencoder(runs: Path) -> Autoencoder:
    """The trained autoencoder, frozen."""
    state = load(runs / AUTOENCODER)
    autoencoder = Autoencoder(**state["settings"])
    autoencoder.load_state_dict(state["weights"])
    return freeze(autoencoder)


def load_diffusion(runs: Path) -> tuple[IdentityEncoder, UNet]:
    """The averaged weights of the identity encoder and the UNet, frozen."""
    state = load(runs / DIFFUSION)
    networks = nn.ModuleDict(
        {
            "encoder": IdentityEncoder(**state["settings"]["encoder"]),
            "unet": UNet(UNetSettings(**state["settings"]["unet"])),
        }
    )
    networks.load_state_dict(state["average"])
    freeze(networks)
    return networks["encoder"], networks["unet"]


def freeze(network: nn.Module) -> Any:
    return network.eval().requires_grad_(False)
