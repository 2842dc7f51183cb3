"""The contract's `unet`: one denoising step, each row at a timestep of its own."""

import json
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.loaders import StableDiffusionLoraLoaderMixin
from torch import Tensor as Array
from torch import nn

from export.arc2face import traced
from export.arc2face.layout import Layout
from export.arc2face.traced import DATA_TYPES, Check, Precision
from export.config import Tensor, write_config

MAX_BATCH = 16
TIMESTEPS = (981.0, 301.5)  # of the rows on which the graph is checked; Euler's timesteps are fractional
BASE = {"default_steps": "25", "default_guidance": "3.0"}
LCM = {"default_steps": "4", "default_guidance": "1.0", "default_scheduler": "lcm"}


class DenoisingStep(nn.Module):
    """Latents [B,4,h,w], timestep [B,1], context [B,T,C] -> prediction [B,4,h,w].

    A linear layer of one vector a row becomes a convolution: a matrix product would take another kernel, with other
    roundings, for one row than for several.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet
        for name, layer in list(unet.named_modules()):
            if name.endswith("time_emb_proj") or name.startswith("time_embedding.linear"):
                unet.set_submodule(name, RowLinear(layer))

    def forward(self, latents: Array, timestep: Array, context: Array) -> Array:
        return self.unet(latents, timestep[:, 0], context, return_dict=False)[0]


class RowLinear(nn.Module):
    """x [B,i] -> [B,o], a linear layer as a convolution over one pixel."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight[:, :, None, None], requires_grad=False)
        self.bias = linear.bias

    def forward(self, x: Array) -> Array:
        return nn.functional.conv2d(x[:, :, None, None], self.weight, self.bias)[:, :, 0, 0]


def export(
    layout: Layout, folder: Path, precision: Precision, parameters: dict[str, str], lora: Path | None = None
) -> list[Check]:
    """Writes the model `folder`: the UNet, with a LoRA fused into it if there is one."""
    unet = UNet2DConditionModel.from_pretrained(layout.unet, local_files_only=True)
    if lora:
        fuse_lora(unet, lora)
    config = unet.config
    latents = (config.in_channels, config.sample_size, config.sample_size)
    context = (
        json.loads((layout.encoder / "config.json").read_text())["max_position_embeddings"],
        config.cross_attention_dim,
    )
    kind = DATA_TYPES[precision]
    inputs = [
        Tensor("latents", kind, latents),
        Tensor("timestep", "FP32", (1,)),
        Tensor("context", kind, context),
    ]
    outputs = [Tensor("prediction", kind, latents)]
    random = torch.Generator().manual_seed(0)
    examples = [
        torch.randn(len(TIMESTEPS), *latents, generator=random),
        torch.tensor(TIMESTEPS)[:, None],
        torch.randn(len(TIMESTEPS), *context, generator=random),
    ]
    checks = traced.export(folder, DenoisingStep(unet), inputs, outputs, examples, precision)
    scheduler = json.loads((layout.scheduler / "scheduler_config.json").read_text())
    defaults = LCM if lora else BASE
    write_config(
        folder,
        folder.name,
        MAX_BATCH,
        inputs,
        outputs,
        {**parameters, "scheduler_config": json.dumps(scheduler), **defaults},
    )
    return checks


def fuse_lora(unet: UNet2DConditionModel, file: Path) -> None:
    """Adds a LoRA to the weights, as diffusers does it."""
    state, alphas = StableDiffusionLoraLoaderMixin.lora_state_dict(
        str(file.parent), weight_name=file.name, unet_config=unet.config, local_files_only=True
    )
    StableDiffusionLoraLoaderMixin.load_lora_into_unet(state, alphas, unet)
    unet.fuse_lora()
    unet.unload_lora()
