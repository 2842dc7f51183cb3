"""The embeddings of 64 people who do not exist and whom no training saw.

They are committed (held_out.npy, [64,256] float32, unit length), so that measuring needs neither torch nor the face
generator. Run as a script, this makes them anew from the portraits that `training.restoration` leaves behind.
"""

import argparse
from pathlib import Path

import numpy as np

from evaluation import faces
from training import RUNS

RECOGNISER = "mobileface-human-models-3.0.4"
_FILE = Path(__file__).with_name("held_out.npy")


def embeddings() -> np.ndarray:
    """Unit embeddings [64,256] of the held-out people, in the order of training/held_out.json."""
    return np.load(_FILE)


def embed(portraits: np.ndarray) -> np.ndarray:
    """Portraits [N,128,128,3] -> unit embeddings [N,256]; every one of them must show a face."""
    points = [faces.landmarks(portrait) for portrait in portraits]
    missing = [number for number, found in enumerate(points) if found is None]
    if missing:
        raise SystemExit(f"no face in the portraits {missing}")
    return faces.embed(np.stack([faces.align(*pair) for pair in zip(portraits, points, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    arguments = parser.parse_args()
    portraits = np.load(arguments.runs / "held_out_portraits.npy")
    np.save(_FILE, embed(portraits).astype(np.float32))


if __name__ == "__main__":
    main()
