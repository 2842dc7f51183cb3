"""The arithmetic of training, held against diffusers' own."""

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, LCMScheduler
from diffusers.training_utils import compute_snr

from training import checkpoint, device
from training.distillation import (
    LCM_CONFIG,
    SERVED_STEPS,
    boundary_scalings,
    consistency,
    served_indices,
    to_timesteps,
)
from training.reward import PHASES
from training.schedule import SCHEDULER_CONFIG, ddim, level

TIMESTEPS = torch.tensor([0, 19, 500, 999])


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(4, 4, 16, 16), torch.randn(4, 4, 16, 16)


def test_noise_and_velocity_are_those_of_diffusers() -> None:
    scheduler = DDPMScheduler.from_config(SCHEDULER_CONFIG)
    start, noise = pair()
    here = level(TIMESTEPS)
    torch.testing.assert_close(here.noisy(start, noise), scheduler.add_noise(start, noise, TIMESTEPS))
    torch.testing.assert_close(here.velocity(start, noise), scheduler.get_velocity(start, noise, TIMESTEPS))


def test_velocity_gives_back_what_it_was_made_of() -> None:
    start, noise = pair()
    here = level(TIMESTEPS)
    noisy, velocity = here.noisy(start, noise), here.velocity(start, noise)
    torch.testing.assert_close(here.start(noisy, velocity), start, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(here.noise(noisy, velocity), noise, atol=1e-5, rtol=1e-5)


def test_min_snr_weight_is_that_of_diffusers_training_scripts() -> None:
    snr = compute_snr(DDPMScheduler.from_config(SCHEDULER_CONFIG), TIMESTEPS)
    expected = torch.stack([snr, 5.0 * torch.ones_like(snr)], dim=1).min(dim=1)[0] / (snr + 1)
    torch.testing.assert_close(level(TIMESTEPS).min_snr_weight(), expected)


def test_steps_of_the_pool_are_those_of_ddim() -> None:
    scheduler = DDIMScheduler.from_config(SCHEDULER_CONFIG)
    scheduler.set_timesteps(PHASES)
    noisy, velocity = (x[:1] for x in pair())
    here, there = scheduler.timesteps[3:5, None]
    expected = scheduler.step(velocity, here.item(), noisy).prev_sample
    torch.testing.assert_close(ddim(noisy, velocity, level(here), level(there)), expected)


@pytest.mark.parametrize("steps", SERVED_STEPS)
def test_distillation_starts_where_the_served_scheduler_does(steps: int) -> None:
    scheduler = LCMScheduler.from_config(LCM_CONFIG)
    scheduler.set_timesteps(steps)
    assert set(scheduler.timesteps.tolist()) <= set(to_timesteps(served_indices()).tolist())


def test_boundary_scalings_are_those_of_diffusers() -> None:
    scheduler = LCMScheduler.from_config(LCM_CONFIG)
    skip, out = boundary_scalings(TIMESTEPS)
    for row, timestep in enumerate(TIMESTEPS.tolist()):
        expected = scheduler.get_scalings_for_boundary_condition_discrete(timestep)
        assert (skip[row].item(), out[row].item()) == pytest.approx(tuple(map(float, expected)))


def test_clean_end_is_its_own_answer(networks: torch.nn.ModuleDict) -> None:
    noisy, _ = pair()
    context = torch.randn(4, 8, 192)
    answer = consistency(networks["unet"], noisy, to_timesteps(torch.zeros(4, dtype=torch.long)), context)
    torch.testing.assert_close(answer, noisy)


def test_consistency_function_is_what_the_served_scheduler_computes(
    networks: torch.nn.ModuleDict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "has_amx", lambda: False)  # in float32, whatever the CPU has
    unet = checkpoint.freeze(networks["unet"])
    torch.nn.init.normal_(unet.leave[-1].weight, std=0.1)
    scheduler = LCMScheduler.from_config(LCM_CONFIG)
    scheduler.set_timesteps(4)
    noisy, context = torch.randn(1, 4, 16, 16), torch.randn(1, 8, 192)
    for timestep in scheduler.timesteps:
        velocity = unet(noisy, timestep.float().reshape(1, 1), context)
        expected = scheduler.step(velocity, timestep, noisy).denoised
        torch.testing.assert_close(
            consistency(unet, noisy, timestep[None], context), expected, atol=1e-5, rtol=1e-5
        )
