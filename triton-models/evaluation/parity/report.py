"""Puts what a parity run has measured into a Markdown page: figures, versions, hashes."""

import json
import math
import platform
from pathlib import Path
from typing import Any

from export.arc2face.card import versions

PROMISED = {"fp32": "60 dB", "fp16": "35 dB"}


def page(work: Path, precisions: list[str]) -> str:
    """The page for the run that lies in this folder."""
    reference, latents = read(work / "reference" / "reference.json"), read(work / "latents.json")
    pictures = [read(work / f"{precision}-pictures.json") for precision in precisions]
    meaning = reference["meaning"]
    contrast = meaning.pop("contrast")
    changed = ", ".join(f"{value:.1f} dB with another {key}" for key, value in meaning.items())
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    promised = ", ".join(f"{PROMISED[precision]} for {precision.upper()}" for precision in precisions)
    columns = "".join(f" {precision.upper()}, dB | seconds served |" for precision in precisions)
    rows = [
        f"| {behind['case']} | {behind['latents']:.1e} |"
        + "".join(f" {decibels(row['psnr'])} | {row['seconds']:.1f} |" for row in served)
        + f" {reference['seconds'][behind['case']]:.1f} |"
        for behind, *served in zip(latents, *pictures, strict=True)
    ]
    return f"""# Parity with the official recipe

Written by `python -m evaluation.parity full WORK --precisions {" ".join(precisions)}` (`make parity-full` takes all
precisions). The reference is diffusers' `StableDiffusionPipeline` with the recipe of Arc2Face's authors, for the
embedding that the gateway reads from the photo (the face stage has tests of its own against insightface). Ours is the
photo sent to the gateway over gRPC, and the PNG that comes back. Weights, photo and seeds are the same. The weights are
random, of the published architectures, rescaled so that pictures depend on everything that they should. No GPU took
part.

Versions: {packages}, Python {platform.python_version()} on {platform.machine()}.

## Pictures and latents

PSNR of a case's worst picture: promised are {promised}.
Final latents of FP32 as max|a-b| / max|b|: promised are 1e-3.
An FP16 graph on a CPU tests the rounding of weights and tensors: ONNX Runtime computes most of it in FP32.

| case | latents |{columns} seconds, reference |
|---|---|{"---|---|" * len(precisions)}---|
{chr(10).join(rows)}

That the test means something: the reference's base picture has a standard deviation of {contrast:.0f} of 255, and PSNR
falls to {changed}.

## Networks

Each exported graph against its network in torch, on the CPU.

{chr(10).join(networks(work, precision) for precision in precisions)}"""


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
