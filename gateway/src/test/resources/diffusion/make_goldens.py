"""Records what torch.randn and diffusers' schedulers give: noise.jsonl and trajectories.jsonl beside this file.

`make goldens` runs it.
"""

import base64
import json
import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import diffusers
import numpy as np
import torch
from torch import Tensor

FOLDER = Path(__file__).parent
SHAPE = (1, 4, 2, 2)  # of the latents that go through the schedulers
STEPS = (1, 2, 3, 5, 10, 25, 50, 100)
SCHEDULERS = {
    "dpmpp_2m": diffusers.DPMSolverMultistepScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "ddim": diffusers.DDIMScheduler,
    "lcm": diffusers.LCMScheduler,
}
DETERMINISTIC = ("dpmpp_2m", "euler", "ddim")
LCM_STEPS = (1, 2, 3, 4, 5, 7, 8, 25, 50)
NOISE_SEED = 4_000_000_000  # of the generator that LCM draws from; the starting latents are not its
STABLE_DIFFUSION = {
    "_class_name": "PNDMScheduler",
    "_diffusers_version": "0.6.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
    "clip_sample": False,
}
SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False}


def configs() -> Iterator[dict]:
    """Scheduler settings as a model repository might hold them."""
    yield {}
    yield STABLE_DIFFUSION
    yield STABLE_DIFFUSION | {"timestep_spacing": "leading"}
    for prediction in ("epsilon", "sample", "v_prediction"):
        for spacing in ("linspace", "leading", "trailing"):
            yield SCALED | {"prediction_type": prediction, "timestep_spacing": spacing, "steps_offset": 1}
    yield {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction", "clip_sample_range": 2.0}
    yield {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample", "lambda_min_clipped": -5.1}
    yield {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1, "timestep_spacing": "trailing"}
    yield SCALED | {
        "rescale_betas_zero_snr": True,
        "prediction_type": "v_prediction",
        "timestep_spacing": "trailing",
        "lambda_min_clipped": -float("inf"),
    }
    yield SCALED | {"use_karras_sigmas": True, "timestep_spacing": "leading", "set_alpha_to_one": False}
    yield SCALED | {
        "use_karras_sigmas": True,
        "sigma_min": 0.05,
        "sigma_max": 10.0,
        "prediction_type": "v_prediction",
    }
    yield SCALED | {"final_sigmas_type": "sigma_min", "solver_type": "bh2", "algorithm_type": "dpmsolver++"}
    yield SCALED | {"final_sigmas_type": "sigma_min", "euler_at_final": True, "lower_order_final": False}
    yield SCALED | {
        "solver_order": 1,
        "num_train_timesteps": 700,
        "_use_default_values": ["num_train_timesteps"],
    }
    yield {"num_train_timesteps": 333, "prediction_type": "v_prediction", "clip_sample": True}


def lcm_configs() -> Iterator[dict]:
    """What LCM reads and the other schedulers do not, and its own defaults."""
    for prediction in ("epsilon", "sample", "v_prediction"):
        yield STABLE_DIFFUSION | {"prediction_type": prediction}
    yield {"prediction_type": "v_prediction", "timestep_spacing": "trailing", "set_alpha_to_one": False}
    yield STABLE_DIFFUSION | {"original_inference_steps": 100, "timestep_scaling": 1.0}
    yield STABLE_DIFFUSION | {"original_inference_steps": 1000, "timestep_scaling": 0.3}
    yield SCALED | {"original_inference_steps": 60, "num_train_timesteps": 700, "clip_sample": True}
    yield SCALED | {"prediction_type": "sample", "clip_sample": True, "clip_sample_range": 0.4}
    yield {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"}
    yield {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
    yield SCALED | {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
    yield SCALED | {"rescale_betas_zero_snr": True, "prediction_type": "sample", "steps_offset": 1}


def predict(latents: Tensor, timestep: Tensor) -> Tensor:
    """Stands in for a UNet: smooth, cheap, and the same in any language."""
    return (0.6 * latents.double() + 0.3 * torch.sin(2 * latents.double() + 0.01 * timestep.double())).float()


def start() -> Tensor:
    """Unit-scale starting latents, the same in any language."""
    return (2 * torch.sin(1 + 7.3 * torch.arange(16, dtype=torch.float64))).float().reshape(SHAPE)


def recorded(steps: int) -> list[int]:
    """The steps after which the latents are kept."""
    return sorted({1, 2, 3, steps // 2, steps - 1, steps} & set(range(1, steps + 1)))


def trajectory(name: str, config: dict, steps: int) -> dict:
    scheduler = SCHEDULERS[name].from_config(config)
    scheduler.set_timesteps(steps)
    latents = start() * scheduler.init_noise_sigma
    noise = {"generator": torch.Generator("cpu").manual_seed(NOISE_SEED)} if name == "lcm" else {}
    kept = []
    for done, timestep in enumerate(scheduler.timesteps, start=1):
        prediction = predict(scheduler.scale_model_input(latents, timestep), timestep)
        latents = scheduler.step(prediction, timestep, latents, **noise).prev_sample
        if done in recorded(len(scheduler.timesteps)):
            kept.append(latents.flatten().numpy())
    if not np.isfinite(kept).all():
        raise SystemExit(f"{name} with {config} goes astray in {steps} steps")
    return {
        "scheduler": name,
        "config": config,
        "steps": steps,
        "initial_noise_sigma": float(scheduler.init_noise_sigma),
        "timesteps": scheduler.timesteps.tolist(),
        "recorded": recorded(len(scheduler.timesteps)),
        "latents": encode(np.stack(kept)),
    }


def noise(seed: int, counts: list[int]) -> dict:
    """Consecutive draws from one generator."""
    generator = torch.Generator("cpu").manual_seed(seed)
    draws = [torch.randn(count, generator=generator).numpy() for count in counts]
    # Whole draws would be megabytes: the ends, where the tail is drawn anew, and a sum over everything.
    return {
        "seed": seed,
        "draws": [
            {
                "count": len(draw),
                "first": encode(draw[:64]),
                "last": encode(draw[-64:]),
                "weighted_sum": float((draw.astype(np.float64) * (np.arange(len(draw)) % 7 - 3)).sum()),
            }
            for draw in draws
        ],
    }


def encode(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def write(name: str, records: Iterator[dict]) -> None:
    (FOLDER / name).write_text("".join(json.dumps(record) + "\n" for record in records))


def main() -> None:
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    sizes = [4 * 16 * 16, 4 * 64 * 64, 4 * 3 * 5, 17, 5, 15, 16, 31, 1]
    few_steps = [4 * 64 * 64] * 5  # of the full size with LCM: the starting noise and that of four steps
    write(
        "noise.jsonl",
        chain(
            (noise(seed, sizes) for seed in (0, 1, 42, 2**31, 2**32 - 1)),
            (noise(seed, few_steps) for seed in (7, NOISE_SEED)),
        ),
    )
    write("trajectories.jsonl", chain(trajectories(configs(), DETERMINISTIC, STEPS), lcm_trajectories()))


def trajectories(configs: Iterator[dict], schedulers: tuple[str, ...], steps: tuple[int, ...]) -> Iterator[dict]:
    return (trajectory(name, config, count) for config in configs for name in schedulers for count in steps)


def lcm_trajectories() -> Iterator[dict]:
    yield from trajectories(lcm_configs(), ("lcm",), LCM_STEPS)
    # Beyond the 50 of the default, where the model was distilled for more.
    yield trajectory("lcm", STABLE_DIFFUSION | {"original_inference_steps": 100}, 77)


if __name__ == "__main__":
    main()
