"""What the UNet sees and what it is to say: noise in the scheduler's measure, and the weighted error."""

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from training.sd15.rows import TIMESTEPS


class Objective:
    """For a scheduler's noise levels and kind of prediction (`epsilon`, which Stable Diffusion v1-5 has, or
    `v_prediction`); `min_snr` above 0 weighs timesteps as Hang et al. do (arXiv:2303.09556)."""

    def __init__(self, scheduler: DDPMScheduler, min_snr: float) -> None:
        if scheduler.config.num_train_timesteps != TIMESTEPS:
            raise ValueError(
                f"the scheduler has {scheduler.config.num_train_timesteps} timesteps, not {TIMESTEPS}"
            )
        self.kind = scheduler.config.prediction_type
        if self.kind not in ("epsilon", "v_prediction"):
            raise ValueError(
                f"the scheduler's prediction_type is {self.kind}: epsilon and v_prediction are known"
            )
        remaining = scheduler.alphas_cumprod
        self.alphas, self.sigmas = remaining.sqrt(), (1 - remaining).sqrt()  # [1000] each
        snr = remaining / (1 - remaining)
        # The loss of a prediction of the clean latents is that of epsilon times the SNR, and that of v over SNR + 1.
        share = snr if self.kind == "epsilon" else snr + 1
        self.weights = snr.clamp(max=min_snr) / share if min_snr else torch.ones_like(snr)  # [1000]

    def to(self, device: torch.device) -> "Objective":
        self.alphas, self.sigmas, self.weights = (
            of_timestep.to(device) for of_timestep in (self.alphas, self.sigmas, self.weights)
        )
        return self

    def disturb(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """x_t = alpha_t x_0 + sigma_t noise: [B,4,h,w]."""
        alpha, sigma = self._levels(timesteps)
        return alpha * latents + sigma * noise

    def target(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """The noise, or the velocity alpha_t noise - sigma_t x_0: [B,4,h,w]."""
        if self.kind == "epsilon":
            return noise
        alpha, sigma = self._levels(timesteps)
        return alpha * noise - sigma * latents

    def loss(self, prediction: Tensor, target: Tensor, timesteps: Tensor) -> Tensor:
        error = (prediction.float() - target).square().mean((1, 2, 3))  # [B]
        return (error * self.weights[timesteps]).mean()

    def _levels(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        return self.alphas[timesteps][:, None, None, None], self.sigmas[timesteps][:, None, None, None]
