"""Faces in the layout that trainers of recognisers read: a folder of aligned 112x112 crops for each identity."""

from pathlib import Path

import numpy as np
from PIL import Image

CROP = 112
ENDINGS = {".png", ".jpg", ".jpeg", ".webp"}


def read(folder: Path, identities: int | None = None) -> list[np.ndarray]:
    """The crops [n,112,112,3] of each identity, in the order of names; `arc2face dataset` puts them in aligned/."""
    aligned = folder / "aligned"
    root = aligned if aligned.is_dir() else folder
    people = [_crops(person) for person in _folders(root)[:identities]]
    people = [person for person in people if len(person)]
    if not people:
        raise SystemExit(f"no folders of pictures in {root}")
    return people


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def write(folder: Path, name: str, crops: np.ndarray) -> None:
    """Writes an identity's crops [n,112,112,3] as PNG, whole or not at all, unless they are there."""
    target, partial = folder / name, folder / f".{name}"
    if target.is_dir():
        return
    partial.mkdir(parents=True, exist_ok=True)
    for number, crop in enumerate(crops):
        Image.fromarray(crop).save(partial / f"{number:03d}.png")
    partial.rename(target)


def _crops(person: Path) -> np.ndarray:
    pictures = []
    for path in sorted(person.iterdir(), key=lambda path: (len(path.stem), path.stem)):
        if path.suffix.lower() not in ENDINGS:
            continue
        with Image.open(path) as image:
            if image.size != (CROP, CROP):
                raise SystemExit(f"{path} has {image.size} pixels: an aligned crop has {CROP}x{CROP}")
            pictures.append(np.asarray(image.convert("RGB")))
    return np.stack(pictures) if pictures else np.empty((0, CROP, CROP, 3), np.uint8)
