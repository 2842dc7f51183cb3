"""The noise schedule that the UNet is trained on, in diffusers' own words."""

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


def signal_and_noise() -> tuple[Tensor, Tensor]:
    """alpha_t and sigma_t of x_t = alpha_t x_0 + sigma_t noise, for every training timestep t: [1000] each."""
    settings = SCHEDULER_CONFIG
    betas = torch.linspace(
        settings["beta_start"] ** 0.5, settings["beta_end"] ** 0.5, settings["num_train_timesteps"]
    ).square()
    remaining = torch.cumprod(1 - betas, dim=0)
    return remaining.sqrt(), (1 - remaining).sqrt()
