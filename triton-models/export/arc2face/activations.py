"""Measures what a generation puts into FP16: the largest activation of each block, and what the group norms sum up.

    python -m export.arc2face.activations DIR

runs the networks of a published layout in torch, halved as the export halves them, through a guided generation, and
prints a table for docs/arc2face.md. Convolutions and linear layers take and give FP16 and add up in FP32, as a GPU's
Tensor Cores do (and a CPU would need hours otherwise). Exits with an error if an activation does not fit FP16.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
import transformers
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.hooks import RemovableHandle
from tqdm import tqdm
from transformers import CLIPTextModel

from export.arc2face.encoder import IdentityEncoder
from export.arc2face.layout import Layout
from export.arc2face.precision import halve
from export.arc2face.preflight import embedding_size
from export.arc2face.unet import DenoisingStep
from export.arc2face.vae_decoder import PixelDecoder

LARGEST = torch.finfo(torch.float16).max  # 65504
GUIDANCE = 3.0
QUERY_AND_KEY = (("to_q", "q_proj"), ("to_k", "k_proj"))


class Ranges:
    """The largest value of each block, and the largest sum of squares over a group that is normalised."""

    def __init__(self) -> None:
        self.activations: dict[str, float] = defaultdict(float)
        self.sums: dict[str, float] = defaultdict(float)

    @contextmanager
    def watching(self, network: nn.Module, name: str) -> Iterator[None]:
        """While inside: watches what every layer takes and gives, and what attention compares."""
        hooks = []
        for path, module in network.named_modules():
            block = f"{name} {_block(path)}"
            if not list(module.children()):
                hooks.append(module.register_forward_hook(partial(self._look, block)))
            heads = getattr(module, "heads", None) or getattr(module, "num_heads", None)
            if heads:
                query, key = (getattr(module, a, None) or getattr(module, b) for a, b in QUERY_AND_KEY)
                hooks += self._compare(block, query, key, heads)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _look(self, block: str, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        for tensor in (*inputs, output):
            if tensor.dtype == torch.float16:
                self._see(block, tensor)
        if isinstance(layer, nn.GroupNorm):
            groups = inputs[0].float().reshape(len(output), layer.num_groups, -1)
            self._see(block, inputs[0])
            self.sums[block] = max(self.sums[block], float(groups.square().sum(-1).max()))

    def _compare(self, block: str, query: nn.Module, key: nn.Module, heads: int) -> list[RemovableHandle]:
        """Looks at the attention's logits; they are no layer's output."""
        seen: list[Tensor] = []

        def remember(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen[:] = [output]

        def multiply(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            q, k = (x.float().unflatten(-1, (heads, -1)).transpose(1, 2) for x in (seen[0], output))
            self._see(block, q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5)

        return [query.register_forward_hook(remember), key.register_forward_hook(multiply)]

    def _see(self, block: str, tensor: Tensor) -> None:
        largest = float(tensor.abs().max())
        # What is not a number compares with nothing: it counts as infinite.
        self.activations[block] = max(
            self.activations[block], largest if largest == largest else float("inf")
        )

    def table(self) -> str:
        lines = [
            "| block | largest activation | of 65504 | largest sum of squares in a group norm |",
            "|---|---|---|---|",
        ]
        for block, value in self.activations.items():
            total = f"{self.sums[block]:.3g}" if block in self.sums else ""
            lines.append(f"| {block} | {value:.3g} | {value / LARGEST:.2%} | {total} |")
        return "\n".join(lines)


@torch.inference_mode()
def measure(layout: Layout, steps: int) -> Ranges:
    """One picture of one random identity, `steps` guided steps."""
    ranges = Ranges()
    random = torch.Generator().manual_seed(0)
    identity = nn.functional.normalize(torch.randn(1, embedding_size(layout), generator=random))
    encoder = IdentityEncoder(CLIPTextModel.from_pretrained(layout.encoder), layout.tokenizer).eval()
    _halve(encoder)
    with ranges.watching(encoder, "encoder"):
        context = torch.cat(encoder(identity))  # [2,T,C]

    network = UNet2DConditionModel.from_pretrained(layout.unet)
    shape = (1, network.config.in_channels, network.config.sample_size, network.config.sample_size)
    latents = torch.randn(shape, generator=random)
    unet = DenoisingStep(network).eval()
    _halve(unet)
    scheduler = DPMSolverMultistepScheduler.from_pretrained(layout.scheduler)
    scheduler.set_timesteps(steps)
    with ranges.watching(unet, "unet"):
        for timestep in tqdm(scheduler.timesteps, desc="denoising", leave=False):
            rows = torch.full((2, 1), float(timestep))
            positive, negative = unet(torch.cat([latents] * 2).half(), rows, context).float().chunk(2)
            prediction = negative + GUIDANCE * (positive - negative)
            latents = scheduler.step(prediction, timestep, latents).prev_sample

    decoder = PixelDecoder(AutoencoderKL.from_pretrained(layout.vae)).eval()
    _halve(decoder)
    with ranges.watching(decoder, "vae_decoder"):
        decoder(latents.half())
    return ranges


def _halve(network: nn.Module) -> None:
    halve(network)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.weight.dtype == torch.float16:
            layer.forward = partial(_add_up, layer)


def _add_up(layer: nn.Conv2d | nn.Linear, x: Tensor) -> Tensor:
    """The layer's result, added up in FP32 and rounded once to FP16."""
    weight, bias = layer.weight.float(), None if layer.bias is None else layer.bias.float()
    if isinstance(layer, nn.Linear):
        return F.linear(x.float(), weight, bias).half()
    return F.conv2d(x.float(), weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups).half()


def _block(path: str) -> str:
    """The first two levels below the network: unet.down_blocks.1.resnets.0.conv1 -> down_blocks.1"""
    names = [name for name in path.split(".") if name not in ("unet", "decoder", "layers", "layer")]
    return ".".join(names[: 2 if len(names) > 1 and names[1].isdigit() else 1])


def main() -> None:
    parser = argparse.ArgumentParser("export.arc2face.activations", description=__doc__)
    parser.add_argument("source", type=Path, metavar="DIR", help="the published files, or random ones")
    parser.add_argument("--steps", type=int, default=5, help="of the generation (default: 5)")
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    ranges = measure(Layout.find(arguments.source), arguments.steps)
    print(ranges.table())
    overflowing = [block for block, value in ranges.activations.items() if value > LARGEST]
    if overflowing:
        sys.exit(f"error: does not fit FP16: {', '.join(overflowing)}")


if __name__ == "__main__":
    main()
