"""Exports the trained mini networks to the contract's `encoder`, `unet`, `unet_lcm` and `vae_decoder`.

Weights are stored as FP16 and cast to FP32 by the graph; everything is computed in FP32. Each export is run by
ONNX Runtime and compared with the network it came from.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor as Array
from torch import nn

from export.config import Tensor, write_config
from export.trace import load, trace
from training import RUNS, checkpoint, networks
from training.distillation import LCM_CONFIG
from training.schedule import SCHEDULER_CONFIG

LICENCE = (
    "Apache-2.0 code; weights trained on DCGAN faces derived from DigiFace-1M (Microsoft, non-commercial "
    "research): for development and tests only"
)
MAX_BATCH = 16
BASE = {"default_steps": "12", "default_guidance": "1.5"}
FEW_STEPS = {"default_steps": "4", "default_guidance": "1", "default_scheduler": "lcm"}
LATENTS = (networks.LATENT_CHANNELS, networks.LATENT_SIZE, networks.LATENT_SIZE)
IMAGE = (networks.IMAGE_SIZE, networks.IMAGE_SIZE, 3)
CONTEXT = (networks.TOKENS, networks.TOKEN_WIDTH)
MAX_ERROR = {"FP32": 1e-4, "UINT8": 1.0}  # of an export against its network; a pixel may round the other way


class PixelDecoder(nn.Module):
    """Latents [B,4,16,16] -> image [B,128,128,3], clamped to 0..255 and rounded half to even."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: Array) -> Array:
        pixels = (self.decoder(latents) * 127.5 + 127.5).clamp(0, 255).round()
        return pixels.permute(0, 2, 3, 1).to(torch.uint8)


def export_network(
    folder: Path,
    network: nn.Module,
    inputs: list[Tensor],
    outputs: list[Tensor],
    parameters: Mapping[str, str],
) -> None:
    """Writes the model `folder` (1/model.onnx and config.pbtxt) for a network taking and giving these tensors."""
    network = network.eval().half().float()  # what FP16 storage leaves of the weights
    path = folder / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    examples = [torch.rand(2, *tensor.dims) for tensor in inputs]
    with tempfile.TemporaryDirectory() as scratch:
        traced = Path(scratch) / "model.onnx"
        trace(
            traced, network, examples, [tensor.name for tensor in inputs], [tensor.name for tensor in outputs]
        )
        model = load(traced, folder.name)
    _store_as_fp16(model.graph)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    _compare(path, network, inputs, outputs)
    write_config(folder, folder.name, MAX_BATCH, inputs, outputs, {**parameters, "licence": LICENCE})


def _store_as_fp16(graph: onnx.GraphProto) -> None:
    """Turns every FP32 weight that survives it into FP16 and a Cast (which ONNX Runtime folds when it loads)."""
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size == 1:
            continue
        halves = values.astype(np.float16)
        if not np.array_equal(halves.astype(np.float32), values):
            continue
        stored = f"{weight.name}_fp16"
        casts.append(
            helper.make_node("Cast", [stored], [weight.name], f"{weight.name}_cast", to=TensorProto.FLOAT)
        )
        weight.CopyFrom(numpy_helper.from_array(halves, stored))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)


@torch.inference_mode()
def _compare(path: Path, network: nn.Module, inputs: list[Tensor], outputs: list[Tensor]) -> None:
    """Raises unless ONNX Runtime computes what the network computes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    arrays = [torch.randn(3, *tensor.dims, generator=generator) for tensor in inputs]
    expected = network(*arrays)
    expected = expected if isinstance(expected, tuple) else (expected,)
    actual = session.run(
        [tensor.name for tensor in outputs],
        {tensor.name: array.numpy() for tensor, array in zip(inputs, arrays, strict=True)},
    )
    for tensor, ours, theirs in zip(outputs, expected, actual, strict=True):
        error = float(np.abs(ours.numpy().astype(np.float64) - theirs).max())
        print(f"{path.parents[1].name}: {tensor.name} differs by at most {error:.2e}")
        if error > MAX_ERROR[tensor.data_type]:
            raise SystemExit(f"{path} does not compute what its network computes")


@torch.inference_mode()
def latent_rgb_factors(decoder: nn.Module, latents: Array) -> dict[str, list]:
    """Least-squares map of a latent pixel [4] to the mean colour [3] (0..1) of the 8x8 pixels it stands for."""
    images = (decoder(latents) / 2 + 0.5).clamp(0, 1)  # [N,3,128,128]
    colours = nn.functional.avg_pool2d(images, networks.IMAGE_SIZE // networks.LATENT_SIZE)  # [N,3,16,16]
    columns = latents.permute(0, 2, 3, 1).reshape(-1, networks.LATENT_CHANNELS)
    columns = torch.cat([columns, torch.ones(len(columns), 1)], dim=1)
    solution = torch.linalg.lstsq(columns, colours.permute(0, 2, 3, 1).reshape(-1, 3)).solution
    factors = [[round(value, 5) for value in row] for row in solution.tolist()]
    return {"factors": factors[:-1], "bias": factors[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS, help="the training's folder")
    parser.add_argument("--repository", type=Path, default=Path("mini"), help="the model repository")
    parser.add_argument(
        "--diffusion",
        default=checkpoint.DIFFUSION[-1],
        help="the checkpoint to export, an earlier stage's perhaps",
    )
    arguments = parser.parse_args()
    autoencoder = checkpoint.load_autoencoder(arguments.runs)
    diffusion = checkpoint.load_diffusion(arguments.runs / arguments.diffusion)
    with np.load(arguments.runs / "latents.npz") as cache:
        latents = torch.from_numpy(cache["latents"][:2048].astype(np.float32))

    context = [Tensor("context", "FP32", CONTEXT), Tensor("negative_context", "FP32", CONTEXT)]
    export_network(
        arguments.repository / "encoder",
        diffusion["encoder"],
        [Tensor("id_embedding", "FP32", (networks.EMBEDDING,))],
        context,
        {},
    )
    unets = {"unet": (diffusion["unet"], SCHEDULER_CONFIG, BASE)}
    last = arguments.diffusion == checkpoint.DIFFUSION[-1]  # whose tokens the distilled UNet was trained on
    if last and (arguments.runs / checkpoint.DISTILLED).exists():
        unets["unet_lcm"] = (checkpoint.load_distilled(arguments.runs), LCM_CONFIG, FEW_STEPS)
    for name, (unet, scheduler_config, recipe) in unets.items():
        export_network(
            arguments.repository / name,
            unet,
            [Tensor("latents", "FP32", LATENTS), Tensor("timestep", "FP32", (1,)), context[0]],
            [Tensor("prediction", "FP32", LATENTS)],
            {"profile": "mini", "scheduler_config": json.dumps(scheduler_config), **recipe},
        )
    export_network(
        arguments.repository / "vae_decoder",
        PixelDecoder(autoencoder.decoder),
        [Tensor("latents", "FP32", LATENTS)],
        [Tensor("image", "UINT8", IMAGE)],
        {"latent_rgb_factors": json.dumps(latent_rgb_factors(autoencoder.decoder, latents))},
    )


if __name__ == "__main__":
    main()
