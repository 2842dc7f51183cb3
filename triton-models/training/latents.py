"""Caches what the UNet trains on: every face and its mirror image as latents, embedding and landmarks.

The embedding is that of the decoded latents, of the very picture that the UNet learns to make.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from training import RUNS, checkpoint
from training.alignment import arcface_crop, coverage, mirror, portrait
from training.published import load_recogniser
from training.restoration import to_tensor

BATCH = 64
MIN_COVERAGE = 0.85  # faces at the picture's edge would teach the UNet reflected borders

LANDMARK_JITTER = 1.5  # pixels: another detector puts the points elsewhere
MAX_GAMMA, MAX_GAIN = 1.4, 1.25  # another camera sees other light


def disturb(image: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Images [B,3,h,w] in -1..1 and landmarks [B,5,2] as another camera and another detector might give them."""

    def around_one(limit: float) -> Tensor:
        return limit ** (2 * torch.rand(len(image), 1, 1, 1) - 1)

    light = (image / 2 + 0.5).clamp(0, 1) ** around_one(MAX_GAMMA) * around_one(MAX_GAIN)
    return light.clamp(0, 1) * 2 - 1, landmarks + LANDMARK_JITTER * torch.randn_like(landmarks)


@torch.inference_mode()
def cache(runs: Path) -> None:
    """The N covered faces of faces.npz -> latents.npz, row N + i being the mirror image of row i.

    `latents` [2N,4,16,16], `landmarks` [2N,5,2], and unit `embeddings` [2N,2,256]: exact and disturbed.
    """
    torch.manual_seed(0)
    autoencoder, recogniser = checkpoint.load_autoencoder(runs), checkpoint.freeze(load_recogniser())
    with np.load(runs / "faces.npz") as faces:
        images, landmarks = faces["images"], torch.from_numpy(faces["landmarks"])
    covered = torch.cat([coverage(images.shape[1], part) for part in landmarks.split(BATCH)]) >= MIN_COVERAGE
    images, landmarks = images[covered.numpy()], landmarks[covered]
    count = len(images)
    latents = np.empty((2 * count, 4, 16, 16), np.float16)
    embeddings = np.empty((2 * count, 2, 256), np.float16)
    points = np.empty((2 * count, 5, 2), np.float32)
    for start in tqdm(range(0, count, BATCH), desc="latents", unit="batch"):
        rows = np.arange(start, min(start + BATCH, count))
        source, places = portrait(to_tensor(images[rows]) / 127.5 - 1, landmarks[rows])
        for offset in (0, count):
            with torch.autocast("cpu", torch.bfloat16):
                encoded = autoencoder.encode(source.contiguous(memory_format=torch.channels_last))
                decoded = autoencoder.decoder(encoded).float()
            exact = decoded.clamp(-1, 1), places
            for variant, (image, marks) in enumerate((exact, disturb(*exact))):
                crops = arcface_crop(image, marks) * 127.5 + 127.5
                embeddings[rows + offset, variant] = F.normalize(recogniser(crops)).numpy()
            latents[rows + offset] = encoded.numpy()
            points[rows + offset] = places.numpy()
            source, places = mirror(source, places)
    np.savez(runs / "latents.npz", latents=latents, embeddings=embeddings, landmarks=points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    cache(parser.parse_args().runs)


if __name__ == "__main__":
    main()
