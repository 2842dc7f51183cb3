"""Finds what would make an export fail, before hours are spent on it."""

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx
import psutil
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import safe_open
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from export.arc2face.layout import WEIGHTS, Layout
from export.arc2face.traced import Precision

GIGABYTE = 10**9
# Of the largest network's FP32 weights, and beside them: measured, docs/arc2face.md.
MEMORY_FACTOR, MEMORY_BASE = 2.2, 1.5 * GIGABYTE
NAMED = 5  # of a list of faults of one file

# The autoencoder was published with the names that diffusers then gave to its attention.
RENAMED = {
    r"\.query\.": ".to_q.",
    r"\.key\.": ".to_k.",
    r"\.value\.": ".to_v.",
    r"\.proj_attn\.": ".to_out.0.",
}

Shapes = dict[str, tuple[int, ...]]


class UnfitError(Exception):
    """Says all that is wrong with the files, or what the machine is short of."""


def embedding_size(layout: Layout) -> int:
    """D, as the recogniser has it."""
    (output,) = onnx.load(layout.recogniser, load_external_data=False).graph.output
    return output.type.tensor_type.shape.dim[-1].dim_value


def check_networks(layout: Layout, size: int) -> None:
    """Raises unless the networks are Stable Diffusion v1's, fit together, and have all their weights.

    `size` is the recogniser's `embedding_size`.
    """
    unet, encoder, vae = (
        _json(folder / "config.json") for folder in (layout.unet, layout.encoder, layout.vae)
    )
    faults = [
        f"{place} is {ours!r}, needed is {needed!r}"
        for place, ours, needed in [
            (f"{layout.unet.name}/config.json: in_channels", unet.get("in_channels", 4), 4),
            (f"{layout.unet.name}/config.json: out_channels", unet.get("out_channels", 4), 4),
            (
                f"{layout.unet.name}/config.json: cross_attention_dim",
                unet.get("cross_attention_dim"),
                encoder.get("hidden_size"),
            ),
            (f"{layout.encoder.name}/config.json: vocab_size", encoder.get("vocab_size"), 49408),
            (
                f"{layout.encoder.name}/config.json: max_position_embeddings",
                encoder.get("max_position_embeddings"),
                77,
            ),
            (f"{layout.encoder.name}/config.json: hidden_act", encoder.get("hidden_act"), "quick_gelu"),
            ("vae/config.json: latent_channels", vae.get("latent_channels", 4), 4),
            ("vae/config.json: sample_size", vae.get("sample_size"), 8 * unet.get("sample_size", 0)),
            ("vae/config.json: levels", len(vae.get("block_out_channels", [])), 4),
        ]
        if ours != needed
    ]
    if size > encoder.get("hidden_size", 0):
        faults.append("antelopev2/arcface.onnx: its embedding is longer than the encoder's tokens are wide")
    if not faults:
        with torch.device("meta"):
            networks = {
                layout.unet / WEIGHTS: UNet2DConditionModel.from_config(unet),
                layout.vae / WEIGHTS: AutoencoderKL.from_config(vae),
                layout.encoder_weights: CLIPTextModel(CLIPTextConfig.from_dict(encoder)),
            }
        for path, network in networks.items():
            faults += _weight_faults(path, network)
    if faults:
        raise UnfitError("\n  ".join([f"{layout.root} does not fit:", *faults]))


def check_room(layout: Layout, out: Path, precision: Precision, unets: int) -> None:
    """Raises unless disk and memory suffice for the models, `unets` of them UNets."""
    unet, weights = (
        (layout.unet / WEIGHTS).stat().st_size,
        sum(path.stat().st_size for path in layout.files()),
    )
    exported = (weights + (unets - 1) * unet) / (2 if precision == "fp16" else 1)
    out.mkdir(parents=True, exist_ok=True)
    shortages = [
        f"{name}: {needed / GIGABYTE:.1f} GB needed, {free / GIGABYTE:.1f} GB free"
        for name, needed, free in [
            ("disk", exported + unet, shutil.disk_usage(out).free + _size(out)),
            ("memory", MEMORY_FACTOR * unet + MEMORY_BASE, psutil.virtual_memory().available),
        ]
        if free < needed
    ]
    if shortages:
        raise UnfitError("too little " + "; too little ".join(shortages))


def _weight_faults(path: Path, network: nn.Module) -> list[str]:
    needed = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    found = _stored_shapes(path)
    lists = {
        "lacks": [name for name in needed if name not in found],
        "has, beyond its config.json,": [name for name in found if name not in needed],
        "has another shape than its config.json says:": [
            f"{name} {list(found[name])} instead of {list(shape)}"
            for name, shape in needed.items()
            if found.get(name, shape) != shape
        ],
    }
    return [f"{path.parent.name}/{path.name} {what} {_some(names)}" for what, names in lists.items() if names]


def _stored_shapes(path: Path) -> Shapes:
    if path.suffix == ".safetensors":
        with safe_open(path, "pt") as weights:
            shapes = {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    else:
        state: Mapping[str, torch.Tensor] = torch.load(path, mmap=True, weights_only=True)
        shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    return {_present_name(name): shape for name, shape in shapes.items() if not name.endswith("position_ids")}


def _present_name(name: str) -> str:
    for old, new in RENAMED.items():
        name = re.sub(old, new, name)
    return name.removeprefix("text_model.")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
