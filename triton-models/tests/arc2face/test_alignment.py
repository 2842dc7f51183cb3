"""The crops that evaluation and gateway make against insightface's `norm_crop`, at most 1/255 apart on average.

The gateway's own are compared by AlignerTest, with crops that gateway/src/test/resources/faces/make.py recorded.
"""

from pathlib import Path

import numpy as np
import pytest
from insightface.utils.face_align import norm_crop
from PIL import Image, ImageOps

from evaluation import faces
from tests.pictures import SAMPLE

PHOTOS = Path(__file__).parents[4] / "shared" / "photos"


def check(path: Path) -> None:
    photo = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    points = faces.landmarks(photo)
    assert points is not None, f"{path.name}: no face"
    deviation = np.abs(faces.align(photo, points).astype(int) - norm_crop(photo, points))
    assert deviation.mean() <= 1, f"{path.name}: {deviation.mean():.2f}"


def test_the_sample_is_cropped_as_insightface_crops_it() -> None:
    check(SAMPLE)


@pytest.mark.parametrize("name", sorted(path.name for path in PHOTOS.glob("*.*")) or [None])
def test_photos_are_cropped_as_insightface_crops_them(name: str | None) -> None:
    if name is None:
        pytest.skip(f"no photos in {PHOTOS}")
    check(PHOTOS / name)
