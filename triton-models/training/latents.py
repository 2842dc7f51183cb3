"""Caches what the UNet trains on: every portrait and its mirror image as latents, embeddings and landmarks."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from training import RUNS, checkpoint, device
from training.alignment import arcface_crop, mirror
from training.augmentation import disturb
from training.files import is_newer, save_arrays
from training.networks import Autoencoder
from training.pixels import to_tensor
from training.published import Recogniser, load_recogniser

BATCH = 32
VIEWS = 3  # embeddings of a face: as it is, and disturbed
MAX_DISTURBANCE = 0.3  # of the unit embedding: photos' embeddings lie off the generator's
FILE = "latents.npz"


@dataclass(frozen=True)
class Draw:
    """Faces [B]: latents [B,4,16,16], landmarks [B,5,2], and unit embeddings [B,256], wanted and given as condition."""

    latents: Tensor
    landmarks: Tensor
    wanted: Tensor
    conditions: Tensor


class LatentFaces:
    """The cached faces: row N + i is the mirror image of row i.

    `latents` [2N,4,16,16] and `embeddings` [2N,3,256] FP16, the first view exact; `landmarks` [2N,5,2].
    """

    def __init__(self, latents: Tensor, embeddings: Tensor, landmarks: Tensor) -> None:
        self.latents, self.embeddings, self.landmarks = latents, embeddings, landmarks

    @classmethod
    def load(cls, runs: Path, strict: bool, where: torch.device) -> "LatentFaces":
        """All faces, or those of the strict subset."""
        with np.load(runs / FILE) as cache:
            rows = np.flatnonzero(cache["strict"]) if strict else slice(None)
            names = ("latents", "embeddings", "landmarks")
            return cls(*(torch.from_numpy(cache[name][rows]).to(where) for name in names))

    def draw(self, count: int) -> Draw:
        """Random faces, conditioned on embeddings near their own or their mirror images'."""
        where = self.latents.device
        rows = torch.randint(len(self.latents), (count,), device=where)
        mirrored = (rows + len(self.latents) // 2) % len(self.latents)
        chosen = torch.where(torch.rand(count, device=where) < 0.5, rows, mirrored)
        wanted = self.embeddings[chosen, 0].float()
        views = torch.randint(self.embeddings.shape[1], (count,), device=where)
        seen = self.embeddings[chosen, views].float()
        strength = torch.rand(count, 1, device=where) * MAX_DISTURBANCE
        disturbance = F.normalize(torch.randn_like(wanted)) * strength
        latents = self.latents[rows].float()
        return Draw(latents, self.landmarks[rows], wanted, F.normalize(seen + disturbance))


@torch.inference_mode()
def cache(
    autoencoder: Autoencoder, recogniser: Recogniser, portraits: np.ndarray, landmarks: np.ndarray
) -> dict[str, np.ndarray]:
    """Portraits [N,128,128,3] and landmarks [N,5,2] -> the arrays of `LatentFaces`."""
    count, where = len(portraits), device.of(autoencoder)
    latents = np.empty((2 * count, 4, 16, 16), np.float16)
    embeddings = np.empty((2 * count, VIEWS, 256), np.float16)
    points = np.empty((2 * count, 5, 2), np.float32)
    for start in tqdm(range(0, count, BATCH), desc="latents", unit="batch"):
        rows = np.arange(start, min(start + BATCH, count))
        image = to_tensor(portraits[rows], where) / 127.5 - 1
        places = torch.from_numpy(landmarks[rows]).to(where)
        for offset in (0, count):
            with device.autocast(image):
                encoded = autoencoder.encode(image.contiguous(memory_format=torch.channels_last))
            latents[rows + offset], points[rows + offset] = encoded.cpu().numpy(), places.cpu().numpy()
            for view in range(VIEWS):
                seen, marks = disturb(image, places) if view else (image, places)
                crops = arcface_crop(seen, marks) * 127.5 + 127.5
                embeddings[rows + offset, view] = F.normalize(recogniser(crops)).cpu().numpy()
            image, places = mirror(image, places)
    return {"latents": latents, "embeddings": embeddings, "landmarks": points}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--seed", type=int, default=0)
    device.add_argument(parser)
    arguments = parser.parse_args()
    runs = arguments.runs
    if is_newer(runs / FILE, (runs / checkpoint.AUTOENCODER, runs / "data.npz")):
        print("latents: nothing new")
        return
    torch.manual_seed(arguments.seed)
    with np.load(runs / "data.npz") as data:
        landmarks, strict = data["landmarks"], data["strict"]
    portraits = np.load(runs / "portraits.npy", mmap_mode="r")
    autoencoder = checkpoint.load_autoencoder(runs).to(arguments.device)
    recogniser = checkpoint.freeze(load_recogniser()).to(arguments.device)
    arrays = cache(autoencoder, recogniser, portraits, landmarks)
    save_arrays(runs / FILE, **arrays, strict=np.tile(strict, 2))


if __name__ == "__main__":
    main()
