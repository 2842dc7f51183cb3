"""Sharp portraits: faces restored x2 by ESRGAN, as Arc2Face restored its low-resolution set, and aligned.

For every file in `faces/` one in `portraits/`; a file that is there is not made again.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from training import RUNS, device
from training.alignment import PORTRAIT_SIZE, arcface_crop, portrait
from training.files import save_arrays
from training.pixels import to_array, to_tensor
from training.published import Recogniser, Restorer, load_recogniser, load_restorer

BATCH = 8  # on a CPU 1.4 times as fast as 32


@torch.inference_mode()
def restore(restorer: Restorer, images: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces [N,h,w,3] and landmarks [N,5,2] -> sharp portraits [N,128,128,3] and their landmarks [N,5,2]."""
    portraits = np.empty((len(images), PORTRAIT_SIZE, PORTRAIT_SIZE, 3), np.uint8)
    places = np.empty((len(images), 5, 2), np.float32)
    where = device.of(restorer)
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        small = to_tensor(images[part], where)
        with device.autocast(small):
            restored = restorer(small.contiguous(memory_format=torch.channels_last))
        points = (torch.from_numpy(landmarks[part]).to(where) + 0.5) * 2 - 0.5
        sharp, moved = portrait(restored.float().clamp(0, 255), points)
        portraits[part], places[part] = to_array(sharp), moved.cpu().numpy()
    return portraits, places


@torch.inference_mode()
def embed(recogniser: Recogniser, portraits: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Portraits [N,128,128,3] and landmarks [N,5,2] -> unit embeddings [N,256]."""
    embeddings = np.empty((len(portraits), 256), np.float32)
    for start in range(0, len(portraits), BATCH):
        part = slice(start, start + BATCH)
        crops: Tensor = arcface_crop(to_tensor(portraits[part]), torch.from_numpy(landmarks[part]))
        embeddings[part] = F.normalize(recogniser(crops.round())).numpy()
    return embeddings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    device.add_argument(parser)
    arguments = parser.parse_args()
    runs = arguments.runs
    folder = runs / "portraits"
    folder.mkdir(exist_ok=True)
    sources = sorted((runs / "faces").glob("*.npz"))
    missing = [source for source in sources if not (folder / source.name).exists()]
    restorer = device.place(load_restorer(), arguments.device)
    recogniser = load_recogniser()
    done = len(sources) - len(missing)
    for source in tqdm(missing, desc="restoration", unit="shard", initial=done, total=len(sources)):
        with np.load(source) as faces:
            kept = {name: faces[name] for name in ("names", "reasons", "measures")}
            portraits, landmarks = restore(restorer, faces["images"], faces["landmarks"])
        embeddings = embed(recogniser, portraits, landmarks)
        save_arrays(
            folder / source.name, **kept, portraits=portraits, landmarks=landmarks, embeddings=embeddings
        )


if __name__ == "__main__":
    main()
