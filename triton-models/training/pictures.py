"""Portraits out of a folder of one's own pictures, for a training on them, or on them too.

The most probable face of each picture is aligned and measured by the rules that the generator's faces go through,
and restored x2 where it is small. One file in `portraits/`, as restoration leaves them.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image, ImageOps
from tqdm import tqdm

from training import RUNS
from training.alignment import PORTRAIT_SIZE, portrait
from training.detection import Found, detect, load_detector
from training.files import save_arrays
from training.pixels import to_array, to_tensor
from training.published import Restorer, load_recogniser, load_restorer
from training.quality import LARGE, NO_FACE, Measures, measure
from training.restoration import embed

SIDE = 768  # pictures are reduced to this
SMALLEST_FACE = 40
SMALL = 28.0  # pixels between the eyes, of 41 in a portrait: below, restoration gives more than interpolation
LARGEST = 80.0  # more are reduced first: the warp takes each pixel from four others
FILE = "pictures.npz"
UNREADABLE = "not a picture"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def read(path: Path) -> Image.Image | None:
    """A picture, upright, its longer side at most SIDE; None where it cannot be read."""
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, Image.DecompressionBombError):
        return None
    upright.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return upright


def find(detector: MTCNN, picture: Image.Image) -> tuple[np.ndarray, Found] | None:
    """Pixels [h,w,3] of a picture and its face, reduced where the face is larger than a portrait needs."""
    pixels = np.array(picture)
    found = detect(detector, to_tensor(pixels[None]))[0]
    if found is None:
        return None
    points, score = found
    factor = LARGEST / float(np.hypot(*(points[1] - points[0])))
    if factor >= 1:
        return pixels, found
    width, height = (max(1, round(side * factor)) for side in picture.size)
    scale = np.array([width / picture.width, height / picture.height], np.float32)
    reduced = np.array(picture.resize((width, height), Image.Resampling.LANCZOS))
    return reduced, ((points + 0.5) * scale - 0.5, score)


@torch.inference_mode()
def align(restorer: Restorer, pixels: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture [h,w,3] and its landmarks [5,2] -> portrait [128,128,3], landmarks [5,2] in it."""
    image, landmarks = to_tensor(pixels[None]), torch.from_numpy(points)[None]
    if float((landmarks[0, 1] - landmarks[0, 0]).norm()) >= SMALL:
        aligned, places = portrait(image, landmarks)
    else:
        half, places = portrait(image, landmarks, PORTRAIT_SIZE // 2)
        aligned, places = restorer(half), (places + 0.5) * 2 - 0.5
    return to_array(aligned)[0], places[0].numpy()


@torch.inference_mode()
def take(folder: Path) -> dict[str, np.ndarray]:
    """All pictures of a folder and those below it, in the order of their names, as restoration leaves a shard."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    detector, restorer, recogniser = load_detector(SMALLEST_FACE), load_restorer(), load_recogniser()
    reasons, portraits, landmarks, measures = [], [], [], []
    for path in tqdm(paths, desc="pictures", unit="picture"):
        picture = read(path)
        face = find(detector, picture) if picture else None
        if face is None:
            reasons.append(NO_FACE if picture else UNREADABLE)
            continue
        pixels, (points, score) = face
        row = measure(to_tensor(pixels[None]), torch.from_numpy(points)[None], torch.tensor([score]))[0]
        reasons.append(LARGE.reason(Measures(*row.tolist())))
        if not reasons[-1]:
            aligned, places = align(restorer, pixels, points)
            portraits.append(aligned)
            landmarks.append(places)
            measures.append(row.numpy())
    if not portraits:
        raise SystemExit(f"no picture in {folder} has a face that passes: {sorted(set(reasons))}")
    shard = {
        "portraits": np.stack(portraits),
        "landmarks": np.stack(landmarks),
        "measures": np.stack(measures),
    }
    embeddings = embed(recogniser, shard["portraits"], shard["landmarks"])
    names = np.array([str(path.relative_to(folder)) for path in paths])
    return {"names": names, "reasons": np.array(reasons, "U32"), **shard, "embeddings": embeddings}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=Path, default=RUNS)
    arguments = parser.parse_args()
    (arguments.runs / "portraits").mkdir(parents=True, exist_ok=True)
    save_arrays(arguments.runs / "portraits" / FILE, **take(arguments.folder))


if __name__ == "__main__":
    main()
