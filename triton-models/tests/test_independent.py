"""The independent networks against face-api as published; and that dlib's tells people apart."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation import faces, held_out, independent, original_recogniser
from evaluation.observation import decode
from evaluation.statistics import area_under_curve
from export import face_api
from export.graph import Graph
from tests import pictures

PHOTOS = Path(__file__).parents[3] / "shared" / "photos"


def test_descriptors_equal_those_of_the_original() -> None:
    chips = np.stack([pictures.resize(crop, 150, 150) for crop in pictures.crops()[[0, 5, 12]]])
    _, descriptors = independent.describe(chips)
    np.testing.assert_allclose(descriptors, original_recogniser.describe(chips), atol=2e-5)


def test_those_who_convert_a_network_at_the_same_time_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = face_api.expression().read_bytes()
    both_have_saved = threading.Barrier(2, timeout=60)
    save = Graph.save

    def save_and_meet(*arguments: Any) -> None:
        save(*arguments)
        both_have_saved.wait()

    monkeypatch.setattr(Graph, "save", save_and_meet)
    monkeypatch.setattr(face_api, "CACHE", tmp_path)
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: face_api.expression(), range(2)))
    assert [path.read_bytes() for path in made] == [expected, expected]
    assert list(tmp_path.iterdir()) == [made[0]]


def test_expressions_equal_those_of_the_original() -> None:
    crops = pictures.crops()[[0, 5, 12]]
    np.testing.assert_allclose(
        independent.expressions(crops), original_recogniser.expressions(crops), atol=2e-5
    )


def test_a_face_of_dlibs_mean_shape_lands_on_it() -> None:
    turned = (independent.TEMPLATE @ np.array([[1.8, 0.7], [-0.7, 1.8]])) + [150, 20]
    rows, columns = np.indices((450, 450))
    for dot, place in zip(turned, independent.TEMPLATE, strict=True):
        light = 255 * np.exp(-(np.square(columns - dot[0]) + np.square(rows - dot[1])) / 40)
        picture = np.repeat(light[:, :, None].astype(np.uint8), 3, axis=2)
        chip = independent.chip(picture, faces.Face(turned))[:, :, 0]
        y, x = np.unravel_index(chip.argmax(), chip.shape)
        assert np.hypot(x - place[0], y - place[1]) <= 1


def test_real_people_are_told_apart() -> None:
    if not PHOTOS.is_dir():
        pytest.skip("the folder of real photos is absent")
    photos = [decode(path.read_bytes()) for path in sorted(PHOTOS.iterdir())]
    auc = separation([[photo, photo[:, ::-1]] for photo in photos])
    assert auc > 0.99


def test_held_out_people_are_told_apart() -> None:
    portraits, neighbours = held_out.portraits(), held_out.neighbours()
    assert separation([[portraits[number], neighbours[number][0]] for number in range(20)]) > 0.97


def separation(people: list[list[np.ndarray]]) -> float:
    """The area under the curve of pictures of one person against pictures of two."""
    owners, rows = [], []
    for owner, views in enumerate(people):
        for view in views:
            face = faces.find(np.ascontiguousarray(view))
            if face is not None:
                rows.append(independent.describe(independent.chip(view, face)[None])[1][0])
                owners.append(owner)
    first, second = np.triu_indices(len(rows), 1)
    distances = np.linalg.norm(np.stack(rows)[first] - np.stack(rows)[second], axis=1)
    same = np.array(owners)[first] == np.array(owners)[second]
    return area_under_curve(-distances[same], -distances[~same])
