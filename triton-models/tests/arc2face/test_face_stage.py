"""From a photo to a face's embedding: letterbox, detector, crop and recogniser against insightface's own code.

Photos are the sample and, where a checkout has them beside it, those of ../shared/photos. The gateway's letterbox and
crop are compared by LetterboxTest and AlignerTest, with what gateway/src/test/resources/faces/make.py recorded.
"""

from pathlib import Path

import numpy as np
import pytest
from insightface.utils.face_align import norm_crop
from PIL import Image, ImageOps

from evaluation import faces
from evaluation.parity.face_stage import FaceStage
from export.arc2face import face_detector
from tests.pictures import SAMPLE
from tests.rows import session

PHOTOS = Path(__file__).parents[4] / "shared" / "photos"
ALL = {path.name: path for path in (SAMPLE, *sorted(PHOTOS.glob("*.*")))}
NAMES = (
    [*ALL] if PHOTOS.is_dir() else [*ALL, pytest.param("", marks=pytest.mark.skip(f"no photos in {PHOTOS}"))]
)


def run(folder: Path, pixels: np.ndarray) -> list[np.ndarray]:
    model = session(folder)
    return [output[0] for output in model.run(None, {model.get_inputs()[0].name: pixels[None]})]


def read(name: str) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(ALL[name])).convert("RGB"))


@pytest.mark.parametrize("name", NAMES)
def test_a_photo_has_the_faces_that_insightface_finds(
    name: str, insightface: FaceStage, exported: Path
) -> None:
    photo = read(name)
    boxes, scores, landmarks = run(exported / "face_detector", faces.letterbox(photo)[0])
    found, points = insightface.detector.detect(photo[..., ::-1])
    height, width = photo.shape[
        :2
    ]  # insightface scales x, too, by the height's factor, rounded down to a pixel
    scale = (faces.SQUARE if height > width else int(faces.SQUARE * (height / width))) / height
    count = min(len(found), face_detector.FACES)
    assert (scores > 0).sum() == count > 0
    np.testing.assert_allclose(scores[:count], found[:count, 4], atol=1e-5)
    np.testing.assert_allclose(boxes[:count], found[:count, :4] * scale, atol=0.05)
    np.testing.assert_allclose(landmarks[:count], points[:count] * scale, atol=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_a_face_is_cropped_and_embedded_as_by_insightface(
    name: str, insightface: FaceStage, exported: Path
) -> None:
    photo = read(name)
    face = faces.find(photo)
    assert face is not None
    crop, expected = faces.align(photo, face._replace(padded=False)), norm_crop(photo, face.landmarks)
    assert np.abs(crop.astype(int) - expected).mean() <= 1
    [ours] = run(exported / "arcface", crop)
    theirs = insightface.recogniser.get_feat(expected[..., ::-1])[0]
    assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.999
