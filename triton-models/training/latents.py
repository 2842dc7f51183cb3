"""Caches what the UNet trains on: every portrait and its mirror image as latents, embeddings and landmarks."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from training import RUNS, checkpoint
from training.alignment import arcface_crop, mirror
from training.augmentation import disturb
from training.files import is_newer, save_arrays
from training.networks import Autoencoder
from training.pixels import to_tensor
from training.precision import autocast
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
    def load(cls, runs: Path, strict: bool) -> "LatentFaces":
        """All faces, or those of the strict subset."""
        with np.load(runs / FILE) as cache:
            rows = np.flatnonzero(cache["strict"]) if strict else slice(None)
            return cls(
                *(torch.from_numpy(cache[name][rows]) for name in ("latents", "embeddings", "landmarks"))
            )

    def draw(self, count: int) -> Draw:
        """Random faces, conditioned on embeddings near their own or their mirror images'."""
        rows = torch.randint(len(self.latents), (count,))
        mirrored = (rows + len(self.latents) // 2) % len(self.latents)
        chosen = torch.where(torch.rand(count) < 0.5, rows, mirrored)
        wanted = self.embeddings[chosen, 0].float()
        views = self.embeddings[chosen, torch.randint(self.embeddings.shape[1], (count,))].float()
        disturbance = F.normalize(torch.randn_like(wanted)) * torch.rand(count, 1) * MAX_DISTURBANCE
        latents = self.latents[rows].float()
        return Draw(latents, self.landmarks[rows], wanted, F.normalize(views + disturbance))


@torch.inference_mode()
def cache(
    autoencoder: Autoencoder, recogniser: Recogniser, portraits: np.ndarray, landmarks: np.ndarray
) -> dict[str, np.ndarray]:
    """Portraits [N,128,128,3] and landmarks [N,5,2] -> the arrays of `LatentFaces`."""
    count = len(portraits)
    latents = np.empty((2 * count, 4, 16, 16), np.float16)
    embeddings = np.empty((2 * count, VIEWS, 256), np.float16)
    points = np.empty((2 * count, 5, 2), np.float32)
    for start in tqdm(range(0, count, BATCH), desc="latents", unit="batch"):
        rows = np.arange(start, min(start + BATCH, count))
        image, places = to_tensor(portraits[rows]) / 127.5 - 1, torch.from_numpy(landmarks[rows])
        for offset in (0, count):
            with autocast():
                encoded = autoencoder.encode(image.contiguous(memory_format=torch.channels_last))
            latents[rows + offset], points[rows + offset] = encoded.numpy(), places.numpy()
            for view in range(VIEWS):
                seen, marks = disturb(image, places) if view else (image, places)
                crops = arcface_crop(seen, marks) * 127.5 + 127.5
                embeddings[rows + offset, view] = F.normalize(recogniser(crops)).numpy()
            image, places = mirror(image, places)
    return {"latents": latents, "embeddings": embeddings, "landmarks": points}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    runs = arguments.runs
    if is_newer(runs / FILE, (runs / checkpoint.AUTOENCODER, runs / "data.npz")):
        print("latents: nothing new")
        return
    torch.manual_seed(arguments.seed)
    with np.load(runs / "data.npz") as data:
        landmarks, strict = data["landmarks"], data["strict"]
    portraits = np.load(runs / "portraits.npy", mmap_mode="r")
    autoencoder, recogniser = checkpoint.load_autoencoder(runs), checkpoint.freeze(load_recogniser())
    arrays = cache(autoencoder, recogniser, portraits, landmarks)
    save_arrays(runs / FILE, **arrays, strict=np.tile(strict, 2))


if __name__ == "__main__":
    main()
