"""Sharp portraits for the autoencoder: faces restored by ESRGAN and aligned to one template."""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from training import RUNS
from training.alignment import portrait
from training.published import Restorer, load_restorer

BATCH = 32


def to_tensor(images: np.ndarray) -> Tensor:
    """uint8 [B,h,w,3] -> float [B,3,h,w] in 0..255."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float()


def to_array(images: Tensor) -> np.ndarray:
    """[B,3,h,w] in 0..255 -> uint8 [B,h,w,3]."""
    return images.clamp(0, 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()


@torch.inference_mode()
def restore(restorer: Restorer, images: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Faces [N,64,64,3] and landmarks [N,5,2] -> sharp portraits [N,128,128,3]."""
    portraits = np.empty((len(images), 128, 128, 3), np.uint8)
    restorer = restorer.bfloat16().to(memory_format=torch.channels_last)
    for start in tqdm(range(0, len(images), BATCH), desc="restore", unit="batch"):
        part = slice(start, start + BATCH)
        small = to_tensor(images[part]).bfloat16().to(memory_format=torch.channels_last)
        restored = restorer(small).float().clamp(0, 255)  # [B,3,128,128]
        points = (torch.from_numpy(landmarks[part]) + 0.5) * 2 - 0.5
        portraits[part] = to_array(portrait(restored, points)[0])
    return portraits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--count", type=int, default=6_000, help="faces to restore, for the autoencoder")
    arguments = parser.parse_args()
    restorer = load_restorer()
    for source, target in (
        ("held_out", "held_out_portraits"),
        ("validation", "validation_portraits"),
        ("faces", "portraits"),
    ):
        with np.load(arguments.runs / f"{source}.npz") as faces:
            images, landmarks = faces["images"][: arguments.count], faces["landmarks"][: arguments.count]
        np.save(arguments.runs / f"{target}.npy", restore(restorer, images, landmarks))


if __name__ == "__main__":
    main()
