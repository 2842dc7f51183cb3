"""Source faces: what the mini model's training pictures are, from chosen places in the generator's latent space.

Needs the environment for training.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation import faces
from training.alignment import PORTRAIT_SIZE, portrait
from training.faces import generate
from training.pixels import to_array
from training.published import FaceGenerator, Restorer, load_generator, load_restorer

UPSAMPLING = 3  # the detector wants larger faces than 64x64 pictures have
BATCH = 32
NEIGHBOURS_SEEDS = (
    1 << 40
)  # beyond the faces' own: with its own seed a face would step along its own direction


@dataclass(frozen=True)
class Drawn:
    """The rows of the noise in which a face was found, and its portraits [N,128,128,3]."""

    kept: list[int]
    portraits: np.ndarray


def near(place: Tensor, count: int, distance: float, seed: int) -> Tensor:
    """Places [N,100] around one [100], `distance` standard deviations away, as far from the middle as it is."""
    steps = torch.randn(count, len(place), generator=torch.Generator().manual_seed(NEIGHBOURS_SEEDS + seed))
    moved = place + distance * steps
    return moved * (place.norm() / moved.norm(dim=1, keepdim=True))


@cache
def _networks() -> tuple[FaceGenerator, Restorer]:
    return load_generator(), load_restorer().to(memory_format=torch.channels_last)


@torch.inference_mode()
def draw(places: Tensor, most: int | None = None) -> Drawn:
    """Noise [N,100] -> restored, aligned portraits, where there is a face; of the first `most` faces only."""
    generator, restorer = _networks()
    images = generate(generator, places)  # [N,3,64,64]
    large = to_array(F.interpolate(images, scale_factor=UPSAMPLING, mode="bicubic"))
    found = [faces.look(picture) for picture in large]  # without a border, as in training
    kept = [row for row, seen in enumerate(found) if len(seen.boxes)][:most]
    portraits = [np.empty((0, PORTRAIT_SIZE, PORTRAIT_SIZE, 3), np.uint8)]
    for start in range(0, len(kept), BATCH):
        rows = kept[start : start + BATCH]
        points = torch.tensor(
            np.stack([found[row].landmarks[found[row].largest] for row in rows]), dtype=torch.float32
        )
        restored = restorer(images[rows].contiguous(memory_format=torch.channels_last)).clamp(0, 255)
        aligned = portrait(restored, (points + 0.5) * (2 / UPSAMPLING) - 0.5)[0]  # [B,3,128,128]
        portraits.append(to_array(aligned))
    return Drawn(kept, np.concatenate(portraits))


def family(place: Tensor, count: int, distance: float, seed: int) -> np.ndarray:
    """The first `count` portraits [count,128,128,3] of near neighbours of a place in which a face is found."""
    drawn = draw(near(place, 2 * count, distance, seed), count)
    if len(drawn.kept) < count:
        raise ValueError(f"{len(drawn.kept)} faces around seed {seed}, {count} are wanted")
    return drawn.portraits
