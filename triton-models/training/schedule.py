"""The noise schedule that the networks are trained on, in diffusers' own words, and its arithmetic."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

SCHEDULER_CONFIG = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "steps_offset": 1,
    "set_alpha_to_one": False,
    "clip_sample": False,
}
TIMESTEPS = SCHEDULER_CONFIG["num_train_timesteps"]
SNR_LIMIT = 5.0


@dataclass(frozen=True)
class Level:
    """How much of noisy latents x = alpha x_0 + sigma noise is signal and how much noise: both [B,1,1,1].

    v = alpha noise - sigma x_0 (Salimans & Ho, 2022).
    """

    alpha: Tensor
    sigma: Tensor

    def noisy(self, start: Tensor, noise: Tensor) -> Tensor:
        return self.alpha * start + self.sigma * noise

    def velocity(self, start: Tensor, noise: Tensor) -> Tensor:
        return self.alpha * noise - self.sigma * start

    def start(self, noisy: Tensor, velocity: Tensor) -> Tensor:
        return self.alpha * noisy - self.sigma * velocity

    def noise(self, noisy: Tensor, velocity: Tensor) -> Tensor:
        return self.sigma * noisy + self.alpha * velocity

    def snr(self) -> Tensor:
        """Signal-to-noise ratio [B]."""
        return (self.alpha / self.sigma).square().flatten()

    def min_snr_weight(self, limit: float = SNR_LIMIT) -> Tensor:
        """Weight [B] of a squared error of v: that of x_0 by min(SNR, limit) (Hang et al., 2023)."""
        snr = self.snr()
        return snr.clamp(max=limit) / (snr + 1)


def signal_and_noise() -> tuple[Tensor, Tensor]:
    """alpha_t and sigma_t of every training timestep t: [1000] each."""
    settings = SCHEDULER_CONFIG
    betas = torch.linspace(settings["beta_start"] ** 0.5, settings["beta_end"] ** 0.5, TIMESTEPS).square()
    remaining = torch.cumprod(1 - betas, dim=0)
    return remaining.sqrt(), (1 - remaining).sqrt()


@cache
def _signal_and_noise_on(device: torch.device) -> list[Tensor]:
    return [values.to(device) for values in signal_and_noise()]


def level(timesteps: Tensor) -> Level:
    """The noise at timesteps [B]."""
    tables = _signal_and_noise_on(timesteps.device)
    return Level(*(values[timesteps][:, None, None, None] for values in tables))


def ddim(noisy: Tensor, velocity: Tensor, here: Level, there: Level) -> Tensor:
    """The deterministic step of DDIM (Song et al., 2021) from one noise level to another."""
    return there.noisy(here.start(noisy, velocity), here.noise(noisy, velocity))
