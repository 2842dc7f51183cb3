"""DPM-Solver++ 2M (arXiv 2211.01095, algorithm 2), as diffusers' DPMSolverMultistepScheduler: the gateway's default.

Every coefficient of a schedule is known before its first step; what is left of a step is two weighted sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Settings that would change the maths, with the only value that is supported: diffusers' default.
FIXED = {
    "algorithm_type": "dpmsolver++",
    "solver_order": 2,
    "solver_type": "midpoint",
    "thresholding": False,
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "use_beta_sigmas": False,
    "use_lu_lambdas": False,
    "use_flow_sigmas": False,
    "final_sigmas_type": "zero",
    "lambda_min_clipped": -np.inf,
    "variance_type": None,
    "rescale_betas_zero_snr": False,
    "trained_betas": None,
}


@dataclass(frozen=True)
class Step:
    """x0 = a x + b p, then x' = c x + d x0 + e x0', with x0' of the step before; FP32 like the latents x."""

    timestep: np.float32
    a: np.float32
    b: np.float32
    c: np.float32
    d: np.float32
    e: np.float32

    def advance(self, x: np.ndarray, p: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Takes latents, prediction and x0 of the step before, [N,4,h,w] each; changes x, and returns x0."""
        x0 = self.a * x
        x0 += self.b * p
        x *= self.c
        x += self.d * x0
        if self.e:
            x += self.e * before
        return x0


def schedule(config: Mapping[str, Any], steps: int) -> tuple[Step, ...]:
    """The steps of a generation with these settings, in diffusers' own keys."""
    for key, only in FIXED.items():
        if config.get(key, only) not in (only, None):
            raise ValueError(f"scheduler_config: {key} = {config[key]!r} is not supported")
    timesteps = _timesteps(config, steps)
    alphas_cumprod = _alphas_cumprod(config)[timesteps]
    # The scale of a clean picture: x = alpha (x0 + sigma epsilon). The last step ends at the clean picture.
    sigmas = np.append(np.sqrt((1 - alphas_cumprod) / alphas_cumprod), np.float32(0)).astype(np.float64)
    alphas = 1 / np.sqrt(sigmas**2 + 1)
    return tuple(
        _step(timestep, sigmas, alphas, i, config.get("prediction_type", "epsilon"))
        for i, timestep in enumerate(timesteps)
    )


def _step(timestep: int, sigmas: np.ndarray, alphas: np.ndarray, i: int, prediction_type: str) -> Step:
    alpha, sigma = alphas[i], alphas[i] * sigmas[i]
    a, b = {
        "epsilon": (1 / alpha, -sigma / alpha),
        "sample": (0, 1),
        "v_prediction": (alpha, -sigma),
    }[prediction_type]
    ratio = sigmas[i + 1] / sigmas[i]  # exp(-h), for h = lambda_t - lambda_s and exp(-lambda) = sigma
    towards = alphas[i + 1] * (1 - ratio)  # alpha_t (1 - exp(-h))
    # D = (1 + 1/2r) x0 - 1/2r x0', and D = x0 at both ends: nothing lies before the first, lambda is infinite at last.
    is_second_order = 0 < i < len(sigmas) - 2
    extrapolation = 1 / (2 * _r(sigmas, i)) if is_second_order else 0
    weights = (
        a,
        b,
        ratio * alphas[i + 1] / alphas[i],
        towards * (1 + extrapolation),
        -towards * extrapolation,
    )
    return Step(np.float32(timestep), *map(np.float32, weights))


def _r(sigmas: np.ndarray, i: int) -> float:
    """h_{i-1} / h_i."""
    before, now, after = np.log(sigmas[i - 1 : i + 2])
    return (before - now) / (now - after)


def _timesteps(config: Mapping[str, Any], steps: int) -> np.ndarray:
    """Where the steps lie among the training timesteps: [steps], descending. arXiv 2305.08891, table 2."""
    train = config.get("num_train_timesteps", 1000)
    spacing = config.get("timestep_spacing", "linspace")
    if spacing == "linspace":
        timesteps = np.linspace(0, train - 1, steps + 1).round()[:0:-1]
    elif spacing == "leading":
        timesteps = (np.arange(steps + 1) * (train // (steps + 1)))[:0:-1] + config.get("steps_offset", 0)
    elif spacing == "trailing":
        # At a few counts (61 of 1000) numpy.arange gives one too many.
        timesteps = np.arange(train, 0, -train / steps).round()[:steps] - 1
    else:
        raise ValueError(f"scheduler_config: timestep_spacing = {spacing!r} is not supported")
    return timesteps.astype(int)


def _alphas_cumprod(config: Mapping[str, Any]) -> np.ndarray:
    """alpha-bar of each training timestep (DDPM, arXiv 2006.11239, equation 4), [train] FP32.

    In the reference's order of operations and precision: at the clean end 1 - alpha-bar keeps few of FP32's digits.
    """
    train = config.get("num_train_timesteps", 1000)
    start, end = config.get("beta_start", 0.0001), config.get("beta_end", 0.02)
    kind = config.get("beta_schedule", "linear")
    if kind == "linear":
        betas = _linspace(start, end, train)
    elif kind == "scaled_linear":
        betas = _linspace(start**0.5, end**0.5, train) ** 2
    else:
        raise ValueError(f"scheduler_config: beta_schedule = {kind!r} is not supported")
    return np.cumprod(1 - betas, dtype=np.float64).astype(np.float32)


def _linspace(start: float, end: float, count: int) -> np.ndarray:
    """As torch.linspace in FP32: from both ends towards the middle, each value rounded once."""
    first, last = np.float32(start), np.float32(end)
    step = np.float64((last - first) / np.float32(count - 1))
    index = np.arange(count)
    values = np.where(index < count // 2, first + step * index, last - step * (count - 1 - index))
    return values.astype(np.float32)
