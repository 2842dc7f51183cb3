"""The training set is what passed, once each, and the data card says where the rest went."""

import json
from pathlib import Path

import numpy as np
import pytest

from training import data, reserve, reserved
from training.card import markdown
from training.files import save_arrays
from training.quality import STRICT, Measures

PASSING = {
    "score": 1,
    "eye_distance": 20,
    "yaw": 0,
    "pitch": 0,
    "roll": 0,
    "coverage": 1,
    "brightness": 120,
    "contrast": 40,
    "imbalance": 0,
    "sharpness": 10,
}


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def write(
    path: Path, reasons: list[str], embeddings: np.ndarray, random: np.random.Generator, **other: float
) -> None:
    kept = reasons.count("")
    assert len(embeddings) == kept
    save_arrays(
        path,
        names=np.array([f"{path.stem}-{i}" for i in range(len(reasons))]),
        reasons=np.array(reasons, "U32"),
        portraits=random.integers(0, 256, (kept, 128, 128, 3), np.uint8),
        landmarks=random.random((kept, 5, 2), np.float32),
        measures=np.tile(np.array(list((PASSING | other).values()), np.float32), (kept, 1)),
        embeddings=embeddings,
    )


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two shards of faces, one of them turned; a face that is twice there, and one like a held-out one."""
    random = np.random.default_rng(0)
    (tmp_path / "portraits").mkdir()
    people = unit(random.normal(size=(8, 256)))
    near = unit(people + 0.02 * random.normal(size=people.shape))
    write(tmp_path / "portraits" / "held_out.npz", [""], people[:1], random)
    write(tmp_path / "portraits" / "validation.npz", [""], people[1:2], random)
    write(
        tmp_path / "portraits" / "00010000.npz",
        ["", "dark", "", ""],
        np.stack([people[2], near[0], people[3]]),
        random,
    )
    reasons = ["no face", "", "dark", ""]
    write(tmp_path / "portraits" / "00010512.npz", reasons, np.stack([near[2], people[4]]), random, yaw=30)
    return tmp_path


def test_counts_of_the_card_add_up(runs: Path) -> None:
    card = data.assemble(runs)
    assert (card.drawn, card.kept) == (8, 3)
    assert card.rejects == {"dark": 2, "no face": 1, data.RESERVED: 1, data.DUPLICATE: 1}
    assert card.drawn == card.kept + sum(card.rejects.values())
    assert (card.strict, card.strict_rejects) == (2, {"turned": 1})
    written = json.loads((runs / "card.json").read_text())
    assert written["rejects"] == card.rejects
    assert written["rules"]["strict"]["yaw"] == STRICT.yaw
    assert (runs / "card.md").read_text() == markdown(card)
    assert "| dark | 2 |" in markdown(card)


def test_set_holds_each_kept_face_in_the_same_row_everywhere(runs: Path) -> None:
    data.assemble(runs)
    with np.load(runs / "data.npz") as arrays:
        names, strict, yaw = (
            arrays["names"],
            arrays["strict"],
            arrays["measures"][:, Measures._fields.index("yaw")],
        )
    assert names.tolist() == ["00010000-0", "00010000-3", "00010512-3"]
    assert strict.tolist() == [True, True, False]
    assert yaw.tolist() == [0, 0, 30]
    portraits = np.load(runs / "portraits.npy")
    with (
        np.load(runs / "portraits" / "00010000.npz") as first,
        np.load(runs / "portraits" / "00010512.npz") as second,
    ):
        expected = [first["portraits"][0], first["portraits"][2], second["portraits"][1]]
        np.testing.assert_array_equal(portraits, np.stack(expected))


def test_near_duplicates_are_all_but_the_first_of_those_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "BLOCK", 16)
    random = np.random.default_rng(1)
    embeddings = unit(
        random.normal(size=(8, 4))[random.integers(0, 8, 100)] + 0.3 * random.normal(size=(100, 4))
    )
    kept: list[int] = []
    for i, row in enumerate(embeddings):
        if not any(row @ embeddings[j] > 0.9 for j in kept):
            kept.append(i)
    duplicate = data.near_duplicates(embeddings, 0.9)
    assert 8 < len(kept) < 50
    assert np.flatnonzero(~duplicate).tolist() == kept


def test_reserved_seeds_are_apart_and_below_those_of_training() -> None:
    lists = reserved.seeds()
    assert len(lists["held_out"]) >= 200
    assert len(lists["validation"]) >= 64
    together = [seed for seeds in lists.values() for seed in seeds]
    assert len(set(together)) == len(together)
    assert 0 <= min(together) <= max(together) < reserved.FIRST_TRAINING_SEED


def test_lists_are_written_as_they_are_kept() -> None:
    assert reserve.to_json(reserved.seeds()) == reserved.FILE.read_text()
    assert reserve.lengthen([1, 5, 7], 0, 2) == [1, 5]  # enough: nothing is drawn
