"""The measurement's own arithmetic; the measurement itself needs a gateway (`make evaluate`)."""

import json

import numpy as np
import pytest

from evaluation import held_out
from evaluation.__main__ import broken_promises
from evaluation.api import ROOT
from evaluation.identity import figures


def row(
    reported: float | None, original: float | None, detected_anew: float | None, control: float | None
) -> dict[str, float | None]:
    return {"reported": reported, "original": original, "detected_anew": detected_anew, "control": control}


def report(figures: dict, of: str = "held-out people", jpeg: bool = False) -> dict:
    return {"of": of, "options": {"jpeg": jpeg}, "figures": figures}


def test_held_out_people_are_as_many_as_their_seeds_and_all_different() -> None:
    people = held_out.embeddings()
    seeds = json.loads((ROOT / "triton-models" / "training" / "held_out.json").read_text())["seeds"]
    assert people.shape == (len(seeds), 256)
    np.testing.assert_allclose(np.linalg.norm(people, axis=1), 1, rtol=1e-6)
    assert (people @ people.T)[~np.eye(len(people), dtype=bool)].max() < 0.9


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
    assert len(broken_promises(report(found))) == 5


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
    found = figures([row(0.4, 0.43, 0.46, 0.05), row(0.4, 0.42, 0.42, 0.05)])
    assert {line.split()[0] for line in broken_promises(report(found, of, jpeg))} == broken
