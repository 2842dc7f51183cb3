"""The measurement's own arithmetic; the measurement itself needs a gateway (`make evaluate`)."""

import numpy as np
import pytest

from evaluation import held_out
from evaluation.__main__ import broken_promises
from evaluation.agreement import figures


def row(
    reported: float | None, original: float | None, detected_anew: float | None, control: float | None
) -> dict[str, float | None]:
    return {"reported": reported, "original": original, "detected_anew": detected_anew, "control": control}


def report(
    figures: dict, of: str = "held-out people", jpeg: bool = False, area_under_curve: float | None = 0.96
) -> dict:
    methods = {"gateway": {"independent": {"area_under_curve": area_under_curve}}}
    return {"of": of, "options": {"jpeg": jpeg}, "figures": figures, "methods": methods}


def test_held_out_people_are_all_different_and_have_pictures() -> None:
    people, portraits, neighbours = held_out.embeddings(), held_out.portraits(), held_out.neighbours()
    assert people.shape == (held_out.PEOPLE, 256)
    assert portraits.shape == (held_out.PEOPLE, 128, 128, 3)
    assert list(neighbours) == list(range(held_out.WITH_NEIGHBOURS))
    assert {tiles.shape for tiles in neighbours.values()} == {(held_out.NEIGHBOURS, 128, 128, 3)}
    np.testing.assert_allclose(np.linalg.norm(people, axis=1), 1, rtol=1e-6)
    assert (people @ people.T)[~np.eye(len(people), dtype=bool)].max() < 0.95


def test_held_out_embeddings_are_those_of_the_pictures() -> None:
    some = [0, 63, 64, held_out.PEOPLE - 1]
    embedded = held_out.embed(held_out.portraits()[some])
    np.testing.assert_allclose((embedded * held_out.embeddings()[some]).sum(1), 1, atol=1e-3)


def test_held_out_people_are_those_of_the_reserved_seeds() -> None:
    seeds = held_out.seeds()
    assert len(seeds) == len(set(seeds)) == held_out.PEOPLE
    assert max(seeds) < 10_000  # no training begins below


def test_figures_leave_out_pictures_without_a_face_and_count_them() -> None:
    rows = [
        row(0.6, 0.59, 0.56, 0.1),
        row(0.4, 0.43, 0.42, 0.2),
        row(None, None, 0.3, None),
        row(0.5, 0.5, None, None),
    ]
    assert figures(rows) == pytest.approx(
        {
            "pictures": 4,
            "faces_found": 0.75,
            "similarity": 0.5,
            "control": 0.15,
            "margin": 0.35,
            "original_apart_mean": 0.04 / 3,
            "original_apart_most": 0.03,
            "detected_anew_apart_mean": 0.03,
            "detected_anew_apart_most": 0.04,
        }
    )


def test_nothing_found_breaks_every_promise() -> None:
    found = figures([row(None, None, None, None)])
    assert len(broken_promises(report(found, area_under_curve=None))) == 6


def test_independent_recogniser_decides_too() -> None:
    found = figures([row(0.8, 0.8, 0.8, 0.1)])
    assert broken_promises(report(found)) == []
    assert broken_promises(report(found, area_under_curve=0.94)) == [
        "area_under_curve is 0.940, promised are at least 0.95"
    ]
    assert broken_promises(report(found, of="photos", area_under_curve=None)) == []


def test_nothing_is_promised_of_another_recogniser() -> None:
    assert broken_promises({"of": "photos", "options": {"jpeg": False}, "recogniser": "arcface-r100"}) == [
        "nothing is promised of the recogniser arcface-r100"
    ]


@pytest.mark.parametrize(
    ("of", "jpeg", "broken"),
    [
        ("held-out people", False, {"similarity", "original_apart_most", "detected_anew_apart_most"}),
        ("held-out people", True, {"similarity"}),
        ("photos", False, {"original_apart_most", "detected_anew_apart_most"}),
        ("photos", True, set()),
    ],
)
def test_promises_depend_on_what_was_measured(of: str, jpeg: bool, broken: set[str]) -> None:
    found = figures([row(0.6, 0.63, 0.66, 0.05), row(0.6, 0.62, 0.62, 0.05)])
    assert {line.split()[0] for line in broken_promises(report(found, of, jpeg))} == broken
