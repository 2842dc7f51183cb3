"""Random weights must be read by the original classes, and must make pictures that depend on what goes in."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from export.arc2face.encoder import IdentityEncoder
from export.arc2face.layout import Layout
from export.arc2face.random_weights import LORA_LAYERS
from export.arc2face.unet import fuse_lora


class Reference:
    """The pipeline of the published layout, step by step in torch."""

    def __init__(self, layout: Layout) -> None:
        self.scheduler = DPMSolverMultistepScheduler.from_pretrained(layout.scheduler)
        self.encoder = IdentityEncoder(CLIPTextModel.from_pretrained(layout.encoder), layout.tokenizer)
        self.unet = UNet2DConditionModel.from_pretrained(layout.unet)
        self.vae = AutoencoderKL.from_pretrained(layout.vae)

    @torch.inference_mode()
    def draw(self, person: int = 0, seed: int = 0, guidance: float = 3.0, shift: float = 0.0) -> np.ndarray:
        """A picture [H,W,3], 0..255, of five steps; every timestep that the UNet sees is off by `shift`."""
        embedding = torch.randn(1, 64, generator=torch.Generator().manual_seed(person))
        context = torch.cat(self.encoder(torch.nn.functional.normalize(embedding)))
        latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(seed))
        self.scheduler.set_timesteps(5)
        for timestep in self.scheduler.timesteps:
            both = self.unet(torch.cat([latents] * 2), timestep + shift, context).sample
            prediction = both[1:] + guidance * (both[:1] - both[1:])
            latents = self.scheduler.step(prediction, timestep, latents).prev_sample
        image = self.vae.decode(latents / self.vae.config.scaling_factor).sample[0]
        return ((image / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()


@pytest.fixture(scope="module")
def reference(published: Path) -> Reference:
    return Reference(Layout(published))


@pytest.fixture(scope="module")
def picture(reference: Reference) -> np.ndarray:
    return reference.draw()


def test_picture_is_not_flat(picture: np.ndarray) -> None:
    assert picture.std() >= 25


@pytest.mark.parametrize("change", [{"person": 1}, {"seed": 1}, {"guidance": 2.0}, {"shift": -20.0}], ids=str)
def test_picture_depends_on(reference: Reference, picture: np.ndarray, change: dict) -> None:
    error = np.mean((reference.draw(**change) - picture) ** 2)
    assert 10 * np.log10(255**2 / error) < 30


def test_same_seed_gives_the_same_picture(reference: Reference, picture: np.ndarray) -> None:
    assert (reference.draw() == picture).all()


def test_tokenizer_is_clips(published: Path) -> None:
    clip = CLIPTokenizer.from_pretrained(Layout(published).tokenizer)
    assert len(clip) == 49408
    assert clip.model_max_length == 77
    assert clip("photo of a id person").input_ids == [49406, 1125, 539, 320, 1014, 2533, 49407]
    assert clip.pad_token_id == clip.eos_token_id == 49407


def test_scheduler_is_stable_diffusions(published: Path) -> None:
    config = json.loads((Layout(published).scheduler / "scheduler_config.json").read_text())
    assert config["beta_schedule"] == "scaled_linear"
    assert config["steps_offset"] == 1


def test_lora_changes_the_unet_when_diffusers_loads_it(published: Path, lora: Path) -> None:
    unet = UNet2DConditionModel.from_pretrained(Layout(published).unet)
    before = {name: weight.clone() for name, weight in unet.state_dict().items()}
    fuse_lora(unet, lora)
    after = unet.state_dict()
    assert set(before) == set(after)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {f"{name}.weight" for name, _ in unet.named_modules() if name.endswith(LORA_LAYERS)}
