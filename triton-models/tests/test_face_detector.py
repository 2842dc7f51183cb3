"""`face_detector` against facenet-pytorch's MTCNN, and against itself in other company."""

import numpy as np
import pytest

from evaluation import faces
from tests import pictures
from tests.golden import GOLDEN
from tests.rows import check_rows_alone_and_together

SQUARES = pictures.squares()


def detect(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes, scores, landmarks = faces.session("face_detector").run(None, {"image": SQUARES[name][None]})
    return boxes[0], scores[0], landmarks[0]


@pytest.mark.parametrize("name", SQUARES)
def test_faces_equal_those_of_the_original(name: str) -> None:
    boxes, scores, landmarks = detect(name)
    expected = np.load(GOLDEN / "face_detector.npz")[name]
    expected = expected[np.argsort(-expected[:, 4], kind="stable")]
    found = len(expected)
    assert (scores > 0).sum() == found
    np.testing.assert_allclose(scores[:found], expected[:, 4], atol=1e-5)
    order = _matching(boxes[:found], expected[:, :4])
    np.testing.assert_allclose(boxes[order], expected[:, :4], atol=0.01)
    np.testing.assert_allclose(landmarks[order], expected[:, 5:].reshape(-1, 5, 2), atol=0.01)


def test_pictures_have_none_one_and_many_faces() -> None:
    counts = {name: int((detect(name)[1] > 0).sum()) for name in SQUARES}
    assert (counts["black"], counts["noise"], counts["whole"]) == (0, 0, 1)
    assert counts["crowd"] == 25


@pytest.mark.parametrize("name", SQUARES)
def test_scores_fall_and_unused_rows_are_zero(name: str) -> None:
    boxes, scores, landmarks = detect(name)
    live = scores > 0
    assert (np.diff(scores) <= 0).all()
    assert (scores[live] > 0.7).all()
    assert not boxes[~live].any()
    assert not landmarks[~live].any()


def test_landmarks_come_image_left_first() -> None:
    left_eye, right_eye, nose, left_mouth, right_mouth = detect("whole")[2][0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_do_not_depend_on_their_batch(threads: int) -> None:
    squares = np.stack([*SQUARES.values()])
    check_rows_alone_and_together(faces.MODELS / "face_detector", squares, largest=4, threads=threads)


def _matching(boxes: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """For each expected box the nearest of ours: faces with equal scores may come in either order."""
    order = np.abs(expected[:, None] - boxes[None]).max(axis=2).argmin(axis=1) if len(boxes) else np.arange(0)
    assert sorted(order) == [*range(len(boxes))]
    return order
