"""The exported decoder must give the pixels that diffusers' pipelines give."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.image_processor import VaeImageProcessor

from export.arc2face import vae_decoder
from export.arc2face.layout import Layout


@pytest.fixture(scope="module")
def folder(exported: Path) -> Path:
    return exported / "vae_decoder"


@torch.inference_mode()
def test_pixels_are_diffusers(folder: Path, published: Path) -> None:
    vae = AutoencoderKL.from_pretrained(Layout(published).vae)
    latents = 5 * torch.randn(3, 4, 16, 16, generator=torch.Generator().manual_seed(5))
    decoded = vae.decode(latents / vae.config.scaling_factor).sample
    expected = np.stack(VaeImageProcessor().postprocess(decoded, output_type="pil"))

    session = onnxruntime.InferenceSession(folder / "1" / "model.onnx")
    (actual,) = session.run(None, {"latents": latents.numpy()})
    assert actual.dtype == np.uint8
    difference = np.abs(actual.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
    assert ((actual == 0) | (actual == 255)).any(), "nothing was clamped"

    alone = [session.run(None, {"latents": latents[[row]].numpy()})[0] for row in range(3)]
    assert actual.tobytes() == np.concatenate(alone).tobytes()


class Grey(torch.nn.Module):
    """Level 127.5 everywhere, halfway between two pixels."""

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(latents), 3, 2, 2)


def test_halves_round_to_even(published: Path) -> None:
    decoder = vae_decoder.PixelDecoder(AutoencoderKL.from_pretrained(Layout(published).vae))
    decoder.post_quant, decoder.decoder = torch.nn.Identity(), Grey()
    assert (decoder(torch.zeros(1, 4, 2, 2)) == 128).all()


def test_preview_follows_the_picture(folder: Path) -> None:
    line = next(
        line for line in (folder / "config.pbtxt").read_text().splitlines() if "latent_rgb_factors" in line
    )
    text = line.split('string_value: "')[1].split('" }')[0].replace('\\"', '"')
    preview = json.loads(text)
    assert np.shape(preview["factors"]) == (4, 3)
    assert np.shape(preview["bias"]) == (3,)
