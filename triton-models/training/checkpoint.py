"""Checkpoints in the folder of the runs: written whole or not at all, read as plain tensors and settings."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.networks import Autoencoder, IdentityEncoder, UNet, UNetSettings

AUTOENCODER, DISTILLED = "autoencoder.pt", "distilled.pt"
DIFFUSION = ("diffusion-1.pt", "diffusion-2.pt", "reward.pt")  # stage by stage, each from the one before


def save(state: dict[str, Any], path: Path) -> None:
    """Replaces `path` in one step, so that an interrupted training leaves the previous checkpoint."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)


def load_autoencoder(runs: Path) -> Autoencoder:
    """The trained autoencoder, frozen, its weights averaged."""
    state = load(runs / AUTOENCODER)
    autoencoder = Autoencoder(**state["settings"])
    autoencoder.load_state_dict(state["average"])
    return freeze(autoencoder)


def diffusion_settings(networks: nn.ModuleDict) -> dict[str, Any]:
    """What `build_diffusion` makes the same networks of."""
    return {"encoder": networks["encoder"].settings, "unet": asdict(networks["unet"].settings)}


def build_diffusion(settings: dict[str, Any] | None = None) -> nn.ModuleDict:
    """Identity encoder and UNet, untrained; without settings those of the mini profile."""
    if settings is None:
        return nn.ModuleDict({"encoder": IdentityEncoder(), "unet": UNet()})
    unet = UNet(UNetSettings(**settings["unet"]))
    return nn.ModuleDict({"encoder": IdentityEncoder(**settings["encoder"]), "unet": unet})


def load_diffusion(path: Path) -> nn.ModuleDict:
    """The averaged weights of identity encoder and UNet as a stage left them."""
    state = load(path)
    networks = build_diffusion(state["settings"])
    networks.load_state_dict(state["average"])
    return networks


def load_distilled(runs: Path) -> UNet:
    """The averaged weights of the UNet for few steps."""
    unet = build_diffusion(load(runs / DIFFUSION[-1])["settings"])["unet"]
    unet.load_state_dict(load(runs / DISTILLED)["average"])
    return unet


def freeze(network: nn.Module) -> Any:
    return network.eval().requires_grad_(False)
