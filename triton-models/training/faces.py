"""Synthetic faces: drawn from the generator, kept where they are good enough to learn from.

Face number s is a function of s alone: its noise comes from a torch generator with that seed. Every shard of seeds is
one file in `faces/`, and a file that is there is not made again.
"""

import argparse
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import MTCNN
from torch import Tensor
from tqdm import tqdm

from training import RUNS, reserved
from training.detection import detect, load_detector
from training.files import save_arrays
from training.published import FaceGenerator, load_generator
from training.quality import LARGE, NO_FACE, Measures, Rules, measure

NOISE_SCALE = 0.9
UPSAMPLING = 3  # MTCNN wants larger faces than 64x64 pictures have
SMALLEST_FACE = 60  # pixels of the upsampled picture
SHARD = 512  # seeds


def noise(seeds: Iterable[int]) -> Tensor:
    """Seeds [B] -> what their faces are drawn from: [B,100]."""
    draws = [
        torch.randn(FaceGenerator.NOISE, generator=torch.Generator().manual_seed(seed)) for seed in seeds
    ]
    return torch.stack(draws)


def generate(generator: FaceGenerator, places: Tensor) -> Tensor:
    """Noise [B,100] -> faces [B,3,64,64] in 0..255, rounded."""
    return ((generator(places * NOISE_SCALE) + 1) * 127.5).round()


@cache
def _networks() -> tuple[FaceGenerator, MTCNN]:
    return load_generator(), load_detector(SMALLEST_FACE)


@torch.inference_mode()
def draw(seeds: range | list[int], rules: Rules | None) -> dict[str, np.ndarray]:
    """Faces of these seeds that pass the rules; without rules, all of them, and each must show a face.

    `names` and `reasons` (empty: kept) of all D seeds; of the N kept ones `images` [N,64,64,3], `landmarks` [N,5,2]
    and `measures` [N,10].
    """
    generator, detector = _networks()
    images = generate(generator, noise(seeds))
    found = detect(detector, images, UPSAMPLING)
    seen = [i for i, face in enumerate(found) if face is not None]
    landmarks = torch.from_numpy(np.stack([found[i][0] for i in seen]))
    measures = measure(images[seen], landmarks, torch.tensor([found[i][1] for i in seen]))
    reasons = np.full(len(found), NO_FACE, "U32")
    for i, row in zip(seen, measures.tolist(), strict=True):
        reasons[i] = rules.reason(Measures(*row)) if rules else ""
    if rules is None and len(seen) < len(found):
        raise SystemExit(
            "no face in a reserved picture: generator or detector are not those of held_out.json"
        )
    kept = np.flatnonzero(reasons == "")
    rows = np.flatnonzero(np.isin(seen, kept))
    return {
        "names": np.array([f"seed-{seed}" for seed in seeds]),
        "reasons": reasons,
        "images": images[kept].permute(0, 2, 3, 1).byte().numpy(),
        "landmarks": landmarks[rows].numpy(),
        "measures": measures[rows].numpy(),
    }


def _write_shard(folder: Path, start: int) -> None:
    save_arrays(folder / f"{start:08d}.npz", **draw(range(start, start + SHARD), LARGE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--seeds", type=int, default=60_000, help="of which two in five will pass")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    folder = arguments.runs / "faces"
    folder.mkdir(parents=True, exist_ok=True)
    for name, seeds in reserved.seeds().items():
        if not (folder / f"{name}.npz").exists():
            save_arrays(folder / f"{name}.npz", **draw(seeds, None))
    first = reserved.FIRST_TRAINING_SEED
    starts = range(first, first + arguments.seeds, SHARD)
    missing = [start for start in starts if not (folder / f"{start:08d}.npz").exists()]
    with ProcessPoolExecutor(arguments.workers, initializer=partial(torch.set_num_threads, 1)) as pool:
        made = pool.map(partial(_write_shard, folder), missing)
        done = len(starts) - len(missing)
        for _ in tqdm(made, desc="faces", unit="shard", initial=done, total=len(starts)):
            pass


if __name__ == "__main__":
    main()
