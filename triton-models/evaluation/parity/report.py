"""Puts what a parity run has measured into a Markdown page: figures, versions, hashes."""

import json
import math
import platform
from pathlib import Path
from typing import Any

from export.arc2face.card import versions


def page(work: Path) -> str:
    """The page for the run that lies in this folder."""
    reference = read(work / "reference" / "reference.json")
    single, half, latents = (
        read(work / f"{name}.json") for name in ("fp32-pictures", "fp16-pictures", "latents")
    )
    meaning = reference["meaning"]
    contrast = meaning.pop("contrast")
    changed = ", ".join(f"{value:.1f} dB with another {key}" for key, value in meaning.items())
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    rows = [
        f"| {one['case']} | {decibels(one['psnr'])} | {behind['latents']:.1e} | {decibels(two['psnr'])} "
        f"| {one['seconds']:.1f} | {two['seconds']:.1f} | {reference['seconds'][one['case']]:.1f} |"
        for one, behind, two in zip(single, latents, half, strict=True)
    ]
    return f"""# Parity with the official recipe

Written by `make parity-full`. The reference is diffusers' `StableDiffusionPipeline` with the recipe of Arc2Face's
authors, for the embedding that the gateway reads from the photo (the face stage has tests of its own against
insightface). Ours is the photo sent to the gateway over gRPC, and the
PNG that comes back. Weights, photo and seeds are the same. The weights are random, of the published architectures,
rescaled so that pictures depend on everything that they should. No GPU took part.

Versions: {packages}, Python {platform.python_version()} on {platform.machine()}.

## Pictures and latents

PSNR of a case's worst picture; final latents as max|a-b| / max|b|. Promised are 60 dB and 1e-3 for FP32, 35 dB for
FP16, where ONNX Runtime on a CPU tests the rounding of weights and tensors: it computes most operators in FP32.

| case | FP32, dB | FP32 latents | FP16, dB | seconds served, FP32 | FP16 | seconds reference |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

That the test means something: the reference's base picture has a standard deviation of {contrast:.0f} of 255, and PSNR
falls to {changed}.

## Networks

Each exported graph against its network in torch, on the CPU.

{networks(work, "fp32")}
{networks(work, "fp16")}"""


def networks(work: Path, precision: str) -> str:
    lines = [
        f"| {precision.upper()} model | checked | seconds to export | peak memory so far | SHA-256 with weights |",
        "|---|---|---|---|---|",
    ]
    for name, entry in sorted(read(work / precision / "export.json").items()):
        lines.append(
            f"| `{name}` | {'; '.join(entry['checks'])} | {entry['seconds']:.0f} | {entry['peak_gigabytes']:.1f} GB "
            f"| `{entry['model_sha256']}` |"
        )
    return "\n".join([*lines, ""])


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def decibels(value: float) -> str:
    return "equal" if math.isinf(value) else f"{math.floor(value * 10) / 10:.1f}"
