"""Random weights of the published architectures, in the published layout: for whoever has no published weights.

A freshly initialised network is no test: its residual branches vanish and its picture is grey whatever goes in. Each
layer is therefore rescaled to unit variance of its output, in the order in which data flows (layer-sequential unit
variance, arXiv:1511.06422), on inputs like those of a generation. Pictures then depend on everything that they should:
embedding, seed, timestep and guidance.
"""

import argparse
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from export.arc2face import random_faces
from export.arc2face.encoder import IdentityEncoder
from export.arc2face.layout import RANDOM, WEIGHTS, Layout

Size = Literal["full", "reduced"]
SIZES: tuple[Size, ...] = ("full", "reduced")
SEED = 20

# Only what differs from the classes' defaults, which are Stable Diffusion v1's.
UNET: dict[Size, dict[str, Any]] = {
    "full": {"sample_size": 64, "cross_attention_dim": 768},
    "reduced": {
        "sample_size": 16,
        "cross_attention_dim": 96,
        "block_out_channels": (32, 64, 64, 64),
        "attention_head_dim": 4,
    },
}
ENCODER: dict[Size, dict[str, Any]] = {
    "full": {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
    },
    "reduced": {
        "hidden_size": 96,
        "intermediate_size": 384,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
}
VAE: dict[Size, dict[str, Any]] = {
    "full": {"sample_size": 512, "block_out_channels": (128, 256, 512, 512)},
    "reduced": {"sample_size": 128, "block_out_channels": (32, 32, 64, 64)},
}
EMBEDDING: dict[Size, int] = {"full": 512, "reduced": 64}

# Stable Diffusion v1-5's scheduler/scheduler_config.json.
SCHEDULER_CONFIG = {
    "_class_name": "PNDMScheduler",
    "_diffusers_version": "0.6.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
}
START, END = "<|startoftext|>", "<|endoftext|>"

# Standard deviation of a layer's output where it is not 1: by the end of its name.
TARGETS = {
    "to_q": 1.5,  # attention that looks at some tokens more than at others
    "q_proj": 1.5,
    "decoder.conv_out": 0.5,  # pixels in -1..1, few of them clipped
}
LORA_RANK, LORA_ALPHA = 64, 8
LORA_LAYERS = (
    "to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2",
    "conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj",
)  # fmt: skip


def write(folder: Path, size: Size) -> Layout:
    """Writes the published layout below `folder`, with random weights."""
    layout = Layout(folder)
    write_tokenizer(layout.tokenizer)
    _write_json(layout.scheduler / "scheduler_config.json", SCHEDULER_CONFIG)
    random_faces.write_scrfd(layout.detector, size)
    random_faces.write_arcface(layout.recogniser, size)
    with torch.inference_mode():
        contexts = _write_encoder(layout, size)
        latents = _write_unet(layout, size, contexts)
        _write_vae(layout, size, latents)
    (folder / RANDOM).write_text(f"{size}\n")
    return layout


def write_tokenizer(folder: Path) -> None:
    """CLIP's vocabulary and merges, out of the open-clip-torch package, as transformers' CLIPTokenizer reads them."""
    package = distribution("open-clip-torch")  # not imported: it would ask for what CLIP's networks need
    packed = Path(package.locate_file("open_clip/bpe_simple_vocab_16e6.txt.gz"))
    merges = gzip.decompress(packed.read_bytes()).decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    letters = _byte_letters()
    tokens = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        *(merge.replace(" ", "") for merge in merges),
    ]
    _write_json(folder / "vocab.json", {token: i for i, token in enumerate([*tokens, START, END])})
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    _write_json(folder / "special_tokens_map.json", special)
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, **special},
    )


def _byte_letters() -> list[str]:
    """A printable letter for each byte, printable bytes first: the order of CLIP's and GPT-2's vocabularies."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + i) for i in range(len(others)))]


def _write_encoder(layout: Layout, size: Size) -> Tensor:
    """Returns the contexts of two identities and of the empty prompt, twice: [4,T,C]."""
    width = ENCODER[size]["hidden_size"]
    model = CLIPTextModel(
        CLIPTextConfig(hidden_act="quick_gelu", projection_dim=width, **ENCODER[size])
    ).eval()
    random = _fill(model)
    # The components of a unit embedding have a standard deviation of D ** -0.5; the words around it are like it.
    for table in (model.embeddings.token_embedding, model.embeddings.position_embedding):
        table.weight.normal_(std=EMBEDDING[size] ** -0.5, generator=random)
    identities = nn.functional.normalize(torch.randn(2, EMBEDDING[size], generator=random))
    with _rescaling(model):
        IdentityEncoder(model, layout.tokenizer)(identities)
    contexts = torch.cat(IdentityEncoder(model, layout.tokenizer)(identities))

    _write_json(
        layout.encoder / "config.json", {**model.config.to_dict(), "architectures": ["CLIPTextModel"]}
    )
    # As published: under the names that transformers then gave them, pickled.
    state = {f"text_model.{name}": weight for name, weight in model.state_dict().items()}
    torch.save(state, layout.encoder / "pytorch_model.bin")
    return contexts


def _write_unet(layout: Layout, size: Size, contexts: Tensor) -> Tensor:
    """Returns latents [1,4,h,w] that a generation of a few steps ends with."""
    with torch.device("meta"):  # no time is spent on an initialisation that is overwritten
        unet = UNet2DConditionModel(**UNET[size])
    unet = unet.to_empty(device="cpu").eval()
    random = _fill(unet)
    sample = unet.config.sample_size
    latents = torch.randn(2, unet.config.in_channels, sample, sample, generator=random)
    with _rescaling(unet):
        unet(torch.cat([latents] * 2), torch.tensor([981.0, 301.0, 601.0, 81.0]), contexts)
    _save(unet, layout.unet)
    return _generate(unet, latents[:1], contexts[[0, 2]])


def _generate(unet: UNet2DConditionModel, latents: Tensor, contexts: Tensor) -> Tensor:
    """Five guided steps from the noise `latents` [1,4,h,w]; the contexts [2,T,C] are positive, then negative."""
    scheduler = DPMSolverMultistepScheduler.from_config(SCHEDULER_CONFIG)
    scheduler.set_timesteps(5)
    for timestep in scheduler.timesteps:
        positive, negative = unet(torch.cat([latents] * 2), timestep, contexts).sample.chunk(2)
        latents = scheduler.step(negative + 3.0 * (positive - negative), timestep, latents).prev_sample
    return latents


def _write_vae(layout: Layout, size: Size, latents: Tensor) -> None:
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=2,
        **VAE[size],
    ).eval()
    random = _fill(vae)
    image = (
        torch.rand(1, 3, vae.config.sample_size // 4, vae.config.sample_size // 4, generator=random) * 2 - 1
    )
    with _rescaling(vae):
        vae.encode(image)
        vae.decode(latents / vae.config.scaling_factor)
    _save(vae, layout.vae)


def write_lcm_lora(file: Path, layout: Layout) -> None:
    """A random LoRA under the names of the published lcm-lora-sdv1-5, each layer changed by a fifth of its size."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(layout.unet))
    random = torch.Generator().manual_seed(SEED)
    tensors: dict[str, Tensor] = {}
    with safe_open(layout.unet / WEIGHTS, "pt") as weights:
        for name, _ in unet.named_modules():
            if not name.endswith(LORA_LAYERS):
                continue
            weight = weights.get_tensor(f"{name}.weight")
            down = torch.randn(LORA_RANK, *weight.shape[1:], generator=random)
            up = torch.randn(len(weight), LORA_RANK, *[1] * (weight.ndim - 2), generator=random)
            change = (
                LORA_ALPHA / LORA_RANK * LORA_RANK**0.5
            )  # standard deviation of what is added to a weight
            key = f"lora_unet_{name.replace('.', '_')}"
            tensors[f"{key}.lora_down.weight"] = down
            tensors[f"{key}.lora_up.weight"] = up * (0.2 * weight.std() / change)
            tensors[f"{key}.alpha"] = torch.tensor(float(LORA_ALPHA))
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)


def _fill(network: nn.Module) -> torch.Generator:
    """Fills every parameter, in order: norms about 1 and 0, everything else to be rescaled."""
    random = torch.Generator().manual_seed(SEED)
    for module in network.modules():
        norm = isinstance(module, (nn.GroupNorm, nn.LayerNorm))
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias" or norm:
                parameter.normal_(float(name == "weight"), 0.1, generator=random)
            else:
                parameter.normal_(std=parameter[0].numel() ** -0.5, generator=random)
    return random


@contextmanager
def _rescaling(network: nn.Module) -> Iterator[None]:
    """While inside, each layer is rescaled to its target as data comes to it."""

    def rescale(target: float, layer: nn.Module, inputs: object, output: Tensor) -> Tensor:
        factor = target / output.std()
        layer.weight *= factor
        if layer.bias is not None:
            layer.bias *= factor
        return output * factor

    hooks = [
        module.register_forward_hook(partial(rescale, _target(name)))
        for name, module in network.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d))
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _target(name: str) -> float:
    return next((target for ending, target in TARGETS.items() if name.endswith(ending)), 1.0)


def _save(network: UNet2DConditionModel | AutoencoderKL, folder: Path) -> None:
    network.save_config(folder)
    save_file(network.state_dict(), folder / WEIGHTS, {"format": "pt"})


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--lcm-lora", type=Path, help="a file, to write a random LoRA into")
    arguments = parser.parse_args()
    written = write(arguments.folder, arguments.size)
    if arguments.lcm_lora is not None:
        write_lcm_lora(arguments.lcm_lora, written)
