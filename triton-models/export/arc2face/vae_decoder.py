"""The contract's `vae_decoder`: latents as the scheduler leaves them to pixels."""

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor as Array
from torch import nn

from export.arc2face import traced
from export.arc2face.layout import Layout
from export.arc2face.traced import DATA_TYPES, Check, Precision
from export.config import Tensor, write_config

MAX_BATCH = 4
SAMPLE = Path(__file__).parents[3] / "samples" / "collins.png"


class PixelDecoder(nn.Module):
    """Latents [B,4,h,w] -> image [B,H,W,3], clamped to 0..255 and rounded half to even."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.scaling = vae.config.scaling_factor
        self.post_quant, self.decoder = vae.post_quant_conv, vae.decoder

    def forward(self, latents: Array) -> Array:
        image = self.decoder(self.post_quant(latents / self.scaling))  # [B,3,H,W], about -1..1
        pixels = ((image.float() / 2 + 0.5).clamp(0, 1) * 255).round()
        return pixels.permute(0, 2, 3, 1).to(torch.uint8)


def export(layout: Layout, folder: Path, precision: Precision, parameters: dict[str, str]) -> list[Check]:
    """Writes the model `folder`."""
    vae = AutoencoderKL.from_pretrained(layout.vae, local_files_only=True)
    pixels = vae.config.sample_size
    side = pixels // 2 ** (len(vae.config.block_out_channels) - 1)
    shape = (vae.config.latent_channels, side, side)
    inputs = [Tensor("latents", DATA_TYPES[precision], shape)]
    outputs = [Tensor("image", "UINT8", (pixels, pixels, 3))]
    factors = {"latent_rgb_factors": json.dumps(_latent_rgb_factors(vae, pixels // 2))}
    random = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    checks = traced.export(folder, PixelDecoder(vae), inputs, outputs, [random], precision)
    write_config(folder, folder.name, MAX_BATCH, inputs, outputs, {**parameters, **factors})
    return checks


@torch.inference_mode()
def _latent_rgb_factors(vae: AutoencoderKL, side: int) -> dict[str, list]:
    """Least-squares map of a latent pixel [4] to the mean colour [3] (0..1) of the pixels that it stands for.

    Fitted to what this autoencoder makes of the sample photo in three colourings.
    """
    with Image.open(SAMPLE) as photo:
        pixels = torch.from_numpy(np.array(photo.convert("RGB").resize((side, side), Image.Resampling.BOX)))
    colourings = torch.stack([pixels.roll(turn, dims=2) for turn in range(3)])  # [3,h,w,3]
    latents = vae.encode(colourings.permute(0, 3, 1, 2) / 127.5 - 1).latent_dist.mean  # [3,4,h/8,w/8]
    pictures = (vae.decode(latents).sample / 2 + 0.5).clamp(0, 1)  # [3,3,h,w]
    colours = (
        nn.functional.adaptive_avg_pool2d(pictures, latents.shape[2:]).permute(0, 2, 3, 1).reshape(-1, 3)
    )
    columns = (latents * vae.config.scaling_factor).permute(0, 2, 3, 1).reshape(len(colours), -1)
    columns = torch.cat([columns, torch.ones(len(columns), 1)], dim=1)
    solution = torch.linalg.lstsq(columns, colours).solution
    factors = [[round(value, 5) for value in row] for row in solution.tolist()]
    return {"factors": factors[:-1], "bias": factors[-1]}
