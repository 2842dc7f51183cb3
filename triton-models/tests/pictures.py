"""Test pictures, made from the sample portrait by code that gives the same bytes everywhere."""

from pathlib import Path

import numpy as np
from PIL import Image

SAMPLE = Path(__file__).parents[2] / "samples" / "collins.png"


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear between the centres of pixels, [H,W,3] -> [height,width,3]."""
    for axis, size in ((0, height), (1, width)):
        source = picture.shape[axis]
        centre = ((np.arange(size) + 0.5) * source / size - 0.5).clip(0, source - 1)
        below = np.floor(centre).astype(int)
        above = np.minimum(below + 1, source - 1)
        weight = (centre - below).reshape(-1, *[1] * (2 - axis))
        picture = picture.take(below, axis) * (1 - weight) + picture.take(above, axis) * weight
    return np.rint(picture).astype(np.uint8)


def portrait() -> np.ndarray:
    """The sample, [512,512,3]."""
    return np.asarray(Image.open(SAMPLE).convert("RGB"))


def squares() -> dict[str, np.ndarray]:
    """Letterboxed pictures [320,320,3] by name: none, one and many faces."""
    whole = resize(portrait(), 320, 320)
    head = portrait()[20:276, 96:352]
    noise = np.random.default_rng(5).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    return {
        "whole": whole,
        "mirrored": whole[:, ::-1],
        "dark": whole // 3,
        "close": resize(head, 320, 320),
        "small": _placed(whole, [(0, 0, 100)]),
        "band": np.concatenate([resize(head, 200, 320), np.zeros((120, 320, 3), np.uint8)]),
        "clipped": np.roll(whole, -110, axis=1),
        "four": _placed(head, [(y, x, 160) for y in (0, 160) for x in (0, 160)]),
        "sizes": _placed(
            head[:, ::-1], [(0, 0, 200), (200, 0, 120), (0, 210, 90), (220, 150, 60), (260, 240, 45)]
        ),
        "crowd": _placed(head, [(y, x, 64) for y in range(0, 320, 64) for x in range(0, 320, 64)]),
        "suit": resize(portrait()[300:, 60:272], 320, 320),
        "black": np.zeros((320, 320, 3), np.uint8),
        "noise": noise,
    }


def crops() -> np.ndarray:
    """Face crops for a recogniser [N,112,112,3], aligned by eye, and some that are no faces."""
    face = [
        resize(portrait()[top : top + size, left : left + size], 112, 112)
        for top, left, size in ((58, 168, 112), (62, 172, 112), (40, 150, 150), (70, 180, 90))
    ]
    noise = np.random.default_rng(7).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    flat = [np.full((112, 112, 3), level, np.uint8) for level in (0, 255)]
    return np.stack([*face, *(crop[:, ::-1] for crop in face), *(crop // 2 for crop in face), noise, *flat])


def _placed(picture: np.ndarray, places: list[tuple[int, int, int]]) -> np.ndarray:
    """Copies of the picture on black, each at (top, left) in a square of the given size."""
    canvas = np.zeros((320, 320, 3), np.uint8)
    for top, left, size in places:
        canvas[top : top + size, left : left + size] = resize(picture, size, size)
    return canvas
