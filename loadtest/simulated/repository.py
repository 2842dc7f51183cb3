"""Writes a model repository of the full profile's tensors whose models take a GPU's time (see curve.py)."""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from evaluation.api import ROOT
from export.config import Tensor, config_lines, model_sha256
from loadtest.simulated import curve

HERE = Path(__file__).parent

SQUARE, FACES, SIZE, TOKENS, WIDTH, LATENT, PIXELS = 640, 64, 512, 77, 768, 64, 512
# Where the portraits' only face is, in pixels of the detector's square.
BOX = (180.0, 140.0, 460.0, 520.0)
LANDMARKS = ((250.0, 290.0), (390.0, 290.0), (320.0, 370.0), (265.0, 440.0), (375.0, 440.0))
SCHEDULER = {  # stable-diffusion-v1-5's, as the export writes it
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
    "steps_offset": 1,
    "set_alpha_to_one": False,
    "clip_sample": False,
}


def write(out: Path, gpu: str = "a100", precision: str = "FP16", guided: bool = False) -> Path:
    """Makes the folder `out` anew; returns it. `guided` adds the optional `unet_guided`."""
    shutil.rmtree(out, ignore_errors=True)
    numbers = triton_to_np_dtype(precision)
    latents = Tensor("latents", precision, (4, LATENT, LATENT))
    context = Tensor("context", precision, (TOKENS, WIDTH))
    faces = np.zeros((FACES, 4), np.float32), np.zeros(FACES, np.float32), np.zeros((FACES, 5, 2), np.float32)
    faces[0][0], faces[1][0], faces[2][0] = BOX, 0.99, LANDMARKS
    embedding = np.random.default_rng(0).standard_normal(SIZE).astype(np.float32)
    words = np.random.default_rng(1).standard_normal((2, TOKENS, WIDTH)).astype(numbers)
    with Image.open(ROOT / "samples" / "collins.png") as photo:
        picture = np.asarray(photo.convert("RGB").resize((PIXELS, PIXELS), Image.Resampling.LANCZOS))
    # What the mean of the latents' first channel makes of a picture does not matter to anybody here.
    preview = {"factors": [[0.3, 0.3, 0.3]] + [[0.0, 0.0, 0.0]] * 3, "bias": [0.5, 0.5, 0.5]}

    timestep, guidance = Tensor("timestep", "FP32", (1,)), Tensor("guidance", "FP32", (1,))
    prediction = {"prediction": np.zeros(latents.dims, numbers)}
    denoising = {
        "scheduler_config": json.dumps(SCHEDULER),
        "default_steps": "25",
        "default_guidance": "3.0",
    }
    models = {
        "face_detector": (
            4,
            [Tensor("image", "UINT8", (SQUARE, SQUARE, 3))],
            dict(zip(("boxes", "scores", "landmarks"), faces, strict=True)),
            {"score_threshold": "0.5"},
        ),
        "arcface": (
            16,
            [Tensor("face", "UINT8", (112, 112, 3))],
            {"embedding": embedding},
            {"recogniser_id": "simulated"},
        ),
        "encoder": (
            8,
            [Tensor("id_embedding", "FP32", (SIZE,))],
            {"context": words[0], "negative_context": words[1]},
            {},
        ),
        "unet": (
            16,
            [latents, timestep, context],
            prediction,
            denoising,
        ),
        "unet_guided": (8, [latents, timestep, context, guidance], prediction, denoising),
        "vae_decoder": (4, [latents], {"image": picture}, {"latent_rgb_factors": json.dumps(preview)}),
    }
    if not guided:
        del models["unet_guided"]
    for name, (rows, inputs, outputs, parameters) in models.items():
        _write_model(out / name, rows, inputs, outputs, parameters, curve.curves(gpu)[name], gpu)
    return out


def _write_model(
    folder: Path,
    rows: int,
    inputs: list[Tensor],
    outputs: dict[str, np.ndarray],
    parameters: dict[str, str],
    seconds: curve.Curve,
    gpu: str,
) -> None:
    version = folder / "1"
    version.mkdir(parents=True)
    shutil.copy(HERE / "model.py", version)
    shutil.copy(ROOT / "triton-models/backends/onnxruntime/model.py", version / "onnxruntime_backend.py")
    for name, row in outputs.items():
        (version / f"{name}.bin").write_bytes(np.ascontiguousarray(row).tobytes())
    lines = config_lines(
        folder.name,
        rows,
        inputs,
        [Tensor(name, np_to_triton_dtype(row.dtype), row.shape) for name, row in outputs.items()],
        {
            **parameters,
            "profile": f"simulated {gpu.upper()}",
            "licence": "nothing is computed",
            "model_sha256": model_sha256(version / "model.py"),
            "fixed_seconds": repr(float(seconds.fixed)),
            "seconds_per_row": repr(float(seconds.per_row)),
        },
    )
    scheduling = ['backend: "python"', "dynamic_batching {}", "instance_group { kind: KIND_CPU count: 1 }"]
    (folder / "config.pbtxt").write_text("\n".join([*lines, *scheduling, ""]), encoding="ascii")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m loadtest.simulated.repository", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--gpu", choices=curve.SPEED, default="a100")
    parser.add_argument("--precision", choices=("FP32", "FP16"), default="FP16")
    parser.add_argument("--guided", action="store_true", help="add unet_guided")
    arguments = parser.parse_args()
    write(arguments.out, arguments.gpu, arguments.precision, arguments.guided)
    line = curve.unet(arguments.gpu)
    print(f"{arguments.out}: a step takes {1000 * line.fixed:.2f} ms and {1000 * line.per_row:.2f} ms a row")
