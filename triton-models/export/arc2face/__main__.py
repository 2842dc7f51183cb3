"""Exports Arc2Face to a Triton model repository: graphs, configurations, a model card.

The weights come from a folder in the published layout (--source), from Hugging Face (--download), or are random, to try
the whole path without them (--random-weights); the last two are put into OUT.published. What is finished is not made
again: an export that was interrupted goes on where it stopped.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import transformers
from tqdm import tqdm

from export.arc2face import (
    arcface,
    encoder,
    engines,
    face_detector,
    preflight,
    published,
    random_faces,
    unet,
    vae_decoder,
)
from export.arc2face import random_weights as weights
from export.arc2face.card import Entry, Record, made_from, source_hashes, write_card
from export.arc2face.download import DownloadError, download
from export.arc2face.layout import Layout, MissingFilesError
from export.arc2face.traced import PRECISIONS, Check, Precision, WrongGraphError
from export.config import model_sha256, serve_with
from export.hashing import sha256

ARC2FACE_LICENCE = "MIT (Arc2Face), fine-tuned from Stable Diffusion v1-5: CreativeML Open RAIL-M"
LICENCES = {
    "face_detector": published.LICENCE,
    "arcface": published.LICENCE,
    "encoder": ARC2FACE_LICENCE,
    "unet": ARC2FACE_LICENCE,
    "vae_decoder": "CreativeML Open RAIL-M (Stable Diffusion v1-5)",
    "unet_lcm": f"{ARC2FACE_LICENCE}; and that of the LoRA",
}
WARNING = (
    "The face detector and the recogniser (antelopev2) are licensed by insightface for non-commercial research only. "
    "Ask insightface before you use them otherwise."
)
Exporter = Callable[[Path], list[Check] | list[str]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        "export.arc2face", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--source", type=Path, metavar="DIR", help="the published files; docs/arc2face.md lists them"
    )
    sources.add_argument("--download", action="store_true", help="fetch them with huggingface_hub")
    sources.add_argument("--random-weights", choices=weights.SIZES, help="make some up, at this size")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="the model repository to write"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="fp32",
        help="of weights and tensors (default: fp32)",
    )
    parser.add_argument(
        "--engine",
        choices=("onnxruntime", "tensorrt"),
        default="onnxruntime",
        help="what Triton runs them with (default: onnxruntime); tensorrt also writes\n"
        "OUT/build-engines, to be run in NVIDIA's container",
    )
    parser.add_argument(
        "--lcm-lora", type=Path, metavar="FILE", help="also export unet_lcm: the UNet with this LoRA"
    )
    try:
        export(**vars(parser.parse_args(arguments)))
    except (DownloadError, MissingFilesError, preflight.UnfitError, WrongGraphError, ValueError) as error:
        sys.exit(f"error: {error}")


def export(
    source: Path | None,
    download: bool,
    random_weights: weights.Size | None,
    out: Path,
    precision: Precision,
    engine: str,
    lcm_lora: Path | None,
) -> None:
    """Makes sure of the weights, exports every model that is not finished, and writes the card."""
    transformers.utils.logging.disable_progress_bar()  # it would break ours
    layout = find_weights(source, download, random_weights, out)
    if lcm_lora and not lcm_lora.is_file():
        raise MissingFilesError(f"there is no {lcm_lora}")
    size = preflight.embedding_size(layout)
    preflight.check_networks(layout, size)
    exporters, licences = plan(layout, size, precision, lcm_lora)
    record, sources = Record(out), source_hashes(layout)
    stamps = {name: made_from(name, sources, precision) for name in exporters}
    if lcm_lora:
        sources[lcm_lora.name] = sha256(lcm_lora)
        stamps["unet_lcm"] = made_from("unet_lcm", sources, precision)
    todo = [name for name in exporters if not record.is_finished(name, stamps[name])]
    if todo:
        preflight.check_room(layout, out, precision, unets=2 if lcm_lora else 1)
    for name in (bar := tqdm(todo, desc="exporting", unit="model")):
        bar.set_description(f"exporting {name}")
        start, folder = time.monotonic(), out / name
        (folder / "config.pbtxt").unlink(missing_ok=True)
        checks = exporters[name](folder)
        entry = Entry(
            stamps[name],
            model_sha256(folder / "1" / "model.onnx"),
            [str(check) for check in checks],
            round(time.monotonic() - start, 1),
            round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / preflight.GIGABYTE, 1),
        )
        record.add(name, entry)
        for check in entry.checks:
            bar.write(f"{name}: {check}")
    card = write_card(record, sources, precision, licences)
    if engine == "tensorrt":
        script = engines.write_build_script(out, precision)
        print(f"TensorRT engines are built by {script}, inside NVIDIA's Triton container")
    else:
        for name in exporters:
            serve_with(out / name, "onnxruntime")
    print(f"{len(exporters)} models in {out} ({len(todo)} exported now), described in {card}")
    if not layout.random_size:
        print(WARNING, file=sys.stderr)


def find_weights(source: Path | None, fetch: bool, size: weights.Size | None, out: Path) -> Layout:
    beside = out.with_name(f"{out.name}.published")
    if source:
        return Layout.find(source)
    if fetch:
        return download(beside)
    if Layout(beside).random_size != size:
        print(f"making up weights in {beside}")
        weights.write(beside, size)
    return Layout.find(beside)


def plan(
    layout: Layout, size: int, precision: Precision, lora: Path | None
) -> tuple[dict[str, Exporter], dict[str, str]]:
    """Model -> what exports it into a folder, and model -> licence; embeddings are [B,size]."""
    licences = {
        name: random_faces.LICENCE if layout.random_size else licence for name, licence in LICENCES.items()
    }
    parameters = {name: {"licence": licence, "profile": "arc2face"} for name, licence in licences.items()}
    if precision == "fp16":
        # A CPU casts it to FP32, with weights in both; only there an arena would take as much again.
        for of_model in parameters.values():
            of_model["enable_mem_arena"] = "0"
    exporters: dict[str, Exporter] = {
        "face_detector": lambda folder: face_detector.export(layout.detector, folder, precision),
        "arcface": lambda folder: arcface.export(layout.recogniser, folder, precision),
        "encoder": lambda folder: encoder.export(layout, folder, precision, size, parameters["encoder"]),
        "unet": lambda folder: unet.export(layout, folder, precision, parameters["unet"]),
        "vae_decoder": lambda folder: vae_decoder.export(
            layout, folder, precision, parameters["vae_decoder"]
        ),
    }
    if lora:
        exporters["unet_lcm"] = lambda folder: unet.export(
            layout, folder, precision, parameters["unet_lcm"], lora
        )
    return exporters, {name: licences[name] for name in exporters}


if __name__ == "__main__":
    main()
