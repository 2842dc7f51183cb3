"""How well the exported mini model keeps an identity: offline, by ONNX Runtime and diffusers.

Pictures of validation identities (and of photos) are made from their embeddings; the same recogniser then compares
each picture with its own input and, as a control, with its neighbour's. Settings are chosen on these; the held-out
identities are only for saying how good the chosen ones are.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import DPMSolverMultistepScheduler, LCMScheduler
from PIL import Image, ImageOps
from torch import Tensor
from tqdm import tqdm

from evaluation import faces
from training import RUNS

PHOTO_SIDE = 512  # photos are reduced to this before detection
COLUMNS = 8  # of the contact sheet


def embed(picture: np.ndarray) -> Tensor | None:
    """Picture [h,w,3] -> unit embedding [256] of its largest face, if it has any, as the gateway does it."""
    face = faces.find(picture)
    return None if face is None else torch.from_numpy(faces.embed(faces.align(picture, face)[None])[0])


class Generator:
    """The exported encoder, UNet and decoder under DPM-Solver++ 2M, or the UNet for few steps under LCM."""

    def __init__(self, repository: Path, few_steps: bool) -> None:
        unet = "unet_lcm" if few_steps else "unet"
        self.encoder, self.unet, self.decoder = (
            onnxruntime.InferenceSession(
                repository / name / "1" / "model.onnx", providers=["CPUExecutionProvider"]
            )
            for name in ("encoder", unet, "vae_decoder")
        )
        config = (repository / unet / "config.pbtxt").read_text()
        quoted = re.search(r'key: "scheduler_config" value \{ string_value: ("(?:\\.|[^"])*")', config)
        if quoted is None:
            raise SystemExit(f"no scheduler_config in {repository}/{unet}/config.pbtxt")
        self.scheduler_config = json.loads(json.loads(quoted[1]))
        self.scheduler_class = LCMScheduler if few_steps else DPMSolverMultistepScheduler

    def generate(self, embeddings: Tensor, seed: int, steps: int, guidance: float) -> np.ndarray:
        """Unit embeddings [N,256] -> pictures [N,128,128,3]; picture i draws its noise from seed + i."""
        scheduler = self.scheduler_class.from_config(self.scheduler_config)
        scheduler.set_timesteps(steps)
        context, negative = self.encoder.run(None, {"id_embedding": embeddings.numpy()})
        both = np.concatenate([context, negative])
        draws = [torch.Generator().manual_seed(seed + i) for i in range(len(context))]
        latents = torch.cat([torch.randn(1, 4, 16, 16, generator=draw) for draw in draws])
        for timestep in scheduler.timesteps:
            rows = torch.cat([latents, latents]).numpy()
            times = np.full((len(rows), 1), float(timestep), np.float32)
            inputs = {"latents": rows, "timestep": times, "context": both}
            conditional, unconditional = torch.from_numpy(self.unet.run(None, inputs)[0]).chunk(2)
            prediction = unconditional + guidance * (conditional - unconditional)
            latents = scheduler.step(prediction, timestep, latents, generator=draws).prev_sample
        return self.decoder.run(None, {"latents": latents.numpy()})[0]


def similarities(pictures: np.ndarray, wanted: Tensor) -> dict[str, float]:
    """Mean cosine of pictures [N,...] to their own embeddings [N,256] and to their neighbours', and faces found."""
    found = [embed(picture) for picture in tqdm(pictures, desc="judge", leave=False)]
    seen = [i for i, embedding in enumerate(found) if embedding is not None]
    if not seen:
        return {"own": 0.0, "control": 0.0, "found": 0.0}
    made = torch.stack([embedding for embedding in found if embedding is not None])
    cosines = made @ wanted.T  # [M,N]
    own = cosines[torch.arange(len(seen)), seen]
    control = cosines[torch.arange(len(seen)), [(i + 1) % len(wanted) for i in seen]]
    rank_1 = (cosines.argmax(1) == torch.tensor(seen)).float().mean()
    return {
        "own": own.mean().item(),
        "control": control.mean().item(),
        "rank 1": rank_1.item(),
        "found": len(seen) / len(pictures),
    }


def read_photo(path: Path) -> np.ndarray:
    """A photo [h,w,3], upright, its longer side at most PHOTO_SIDE."""
    with Image.open(path) as photo:
        photo = ImageOps.exif_transpose(photo).convert("RGB")
        photo.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
        return np.asarray(photo)


def contact_sheet(inputs: list[np.ndarray], pictures: np.ndarray, path: Path) -> None:
    """Rows of inputs, each above its row of pictures."""
    tiles = [np.asarray(ImageOps.fit(Image.fromarray(image), (128, 128))) for image in inputs]
    blank = np.full((128, 128, 3), 255, np.uint8)
    rows = []
    for start in range(0, len(tiles), COLUMNS):
        for part in (tiles[start : start + COLUMNS], list(pictures[start : start + COLUMNS])):
            rows.append(np.concatenate(part + [blank] * (COLUMNS - len(part)), axis=1))
    Image.fromarray(np.concatenate(rows)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--repository", type=Path, default=Path("mini"))
    parser.add_argument("--photos", type=Path, help="a folder of photos of real faces")
    parser.add_argument("--few-steps", action="store_true", help="unet_lcm, by default 4 steps at guidance 1")
    parser.add_argument("--steps", type=int, nargs="+", help="default: 12")
    parser.add_argument("--guidance", type=float, nargs="+", help="default: 1.5")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--held-out", action="store_true", help="the held-out identities, not the validation ones"
    )
    arguments = parser.parse_args()
    few_steps = arguments.few_steps
    generator = Generator(arguments.repository, few_steps)
    name = "held_out" if arguments.held_out else "validation"
    groups = {name: list(np.load(arguments.runs / f"{name}_portraits.npy"))}
    if arguments.photos:
        groups["photos"] = [read_photo(path) for path in sorted(arguments.photos.iterdir())]
    for name, images in groups.items():
        embeddings = [embed(image) for image in images]
        images = [image for image, embedding in zip(images, embeddings, strict=True) if embedding is not None]
        wanted = torch.stack([embedding for embedding in embeddings if embedding is not None])
        for steps in arguments.steps or [4 if few_steps else 12]:
            for guidance in arguments.guidance or [1.0 if few_steps else 1.5]:
                pictures = generator.generate(wanted, arguments.seed, steps, guidance)
                figures = similarities(pictures, wanted)
                text = ", ".join(f"{key} {value:.3f}" for key, value in figures.items())
                print(f"{name} ({len(wanted)}), {steps} steps, guidance {guidance}: {text}")
                contact_sheet(images, pictures, arguments.runs / f"{name}-{steps}-{guidance}.png")


if __name__ == "__main__":
    main()
