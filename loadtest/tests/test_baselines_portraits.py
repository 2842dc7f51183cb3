"""The baselines' own pipeline: its noise is torch's, its solver diffusers', its simulated time the repository's."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.api import ROOT
from loadtest.baselines import networks, noise, solver
from loadtest.baselines.portraits import Portraits
from loadtest.simulated import curve
from loadtest.simulated import repository as simulated

# What torch and diffusers gave, recorded for the gateway's tests by make_goldens.py there.
GOLDENS = ROOT / "gateway/src/test/resources/diffusion"


def test_simulated_networks_take_their_time_and_one_gpu_between_them(tmp_path: Path) -> None:
    simulated.write(tmp_path / "models", "h100", "FP16")
    portraits = Portraits(tmp_path / "models")
    assert isinstance(portraits.unet, networks.SimulatedNetwork)
    curves = curve.curves("h100")

    def draw() -> list[np.ndarray]:
        latents = portraits.start([1, 2])
        assert list(portraits.denoise(latents, np.ones((2, 512), np.float32), 3, [3.0, 3.0])) == [1, 2, 3]
        return list(portraits.decode(latents))

    start = time.monotonic()
    with ThreadPoolExecutor() as pool:
        drawn = [picture for call in [pool.submit(draw) for _ in range(2)] for picture in call.result()]
    took = time.monotonic() - start
    once = curves["encoder"].seconds(2) + 3 * curves["unet"].seconds(4) + curves["vae_decoder"].seconds(2)
    assert took >= 2 * once
    assert len(drawn) == 4
    assert all(np.array_equal(picture, portraits.vae.constants["image"]) for picture in drawn)


def test_noise_is_torchs() -> None:
    for line in (GOLDENS / "noise.jsonl").read_text().splitlines():
        golden = json.loads(line)
        draw = golden["draws"][0]  # the later ones go on with the same generator
        (values,) = noise.draw([golden["seed"]], (draw["count"],))
        np.testing.assert_allclose(values[:64], decode(draw["first"]), rtol=0, atol=1e-5)
        np.testing.assert_allclose(values[-64:], decode(draw["last"]), rtol=0, atol=1e-5)


def test_solver_is_diffusers() -> None:
    lines = (GOLDENS / "trajectories.jsonl").read_text().splitlines()
    goldens = [golden for golden in map(json.loads, lines) if golden["scheduler"] == "dpmpp_2m"]
    followed = sum(follows(golden) for golden in goldens)
    assert followed >= 100  # the others have settings that no repository of ours has


def follows(golden: dict[str, Any]) -> bool:
    """Whether the settings are supported; fails where they are and the latents differ."""
    try:
        steps = solver.schedule(golden["config"], golden["steps"])
    except ValueError:
        return False
    assert [step.timestep for step in steps] == golden["timesteps"]
    latents = (2 * np.sin(1 + 7.3 * np.arange(16))).astype(np.float32)
    denoised = np.zeros_like(latents)
    kept = []
    for done, step in enumerate(steps, start=1):
        exact = latents.astype(np.float64)
        prediction = 0.6 * exact + 0.3 * np.sin(2 * exact + 0.01 * step.timestep)  # as in make_goldens.py
        denoised = step.advance(latents, prediction.astype(np.float32), denoised)
        if done in golden["recorded"]:
            kept.append(latents.copy())
    expected = decode(golden["latents"]).reshape(-1, 16)
    np.testing.assert_allclose(kept, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    return True


def decode(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")
