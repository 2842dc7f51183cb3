"""Detector, alignment and recogniser together must tell people apart, as the originals do."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation import faces
from tests import pictures

PHOTOS = Path(__file__).parents[3] / "shared" / "photos"


def crops(photos: list[np.ndarray]) -> np.ndarray:
    """Photos [H,W,3] with one face each -> aligned crops [N,112,112,3]."""
    found = [faces.find(photo) for photo in photos]
    assert all(face is not None for face in found)
    return np.stack([faces.align(*pair) for pair in zip(photos, found, strict=True)])


def test_mirrored_portrait_is_the_same_person() -> None:
    portrait = pictures.portrait()
    face, mirrored = faces.embed(crops([portrait, np.ascontiguousarray(portrait[:, ::-1])]))
    assert face @ mirrored > 0.85


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the folder of real photos is absent")
def test_real_people_are_told_apart() -> None:
    photos = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(PHOTOS.iterdir())]
    aligned = crops(photos)
    embeddings, mirrored = faces.embed(aligned), faces.embed(aligned[:, :, ::-1])
    same = (embeddings * mirrored).sum(1)
    different = (embeddings @ embeddings.T)[~np.eye(len(photos), dtype=bool)]
    assert same.mean() > 0.9
    assert different.mean() < 0.1
