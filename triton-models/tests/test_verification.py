"""Verification as insightface does it, and its files."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.recognition import folder
from evaluation.recognition.verification import Pairs, accuracy, pairs_of_folder, read_bin, ten_fold

random = np.random.default_rng(3)


def insightface_accuracy(one: np.ndarray, other: np.ndarray, same: list[bool]) -> tuple[float, float]:
    """insightface's recognition/_evaluation_/verification.py retold: calculate_roc with scikit-learn's KFold(10)."""
    distances = np.sum(np.square(one - other), 1)
    thresholds = np.arange(0, 4, 0.01)

    def score(threshold: float, indices: list[int]) -> float:
        predicted = [distances[i] < threshold for i in indices]
        right = sum(bool(p) == bool(same[i]) for p, i in zip(predicted, indices, strict=True))
        return right / len(indices)

    count, folds, start = len(same), [], 0
    for fold in range(10):
        size = count // 10 + (1 if fold < count % 10 else 0)
        folds.append(list(range(start, start + size)))
        start += size
    found = []
    for test in folds:
        rest = [i for i in range(count) if i not in test]
        scores = [score(threshold, rest) for threshold in thresholds]
        found.append(score(thresholds[scores.index(max(scores))], test))
    return float(np.mean(found)), float(np.std(found))


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("count", [60, 73])
def test_ten_fold_accuracy_is_insightfaces(count: int) -> None:
    one = unit(random.standard_normal((count, 8)))
    same = random.random(count) < 0.5
    other = unit(
        np.where(
            same[:, None], one + 0.45 * random.standard_normal(one.shape), random.standard_normal(one.shape)
        )
    )
    expected = insightface_accuracy(one, other, same.tolist())
    assert ten_fold(np.square(one - other).sum(1), same) == pytest.approx(expected)
    assert 0.6 < expected[0] < 1


def test_accuracy_of_equal_and_of_unrelated_faces() -> None:
    same = np.arange(40) % 2 == 0
    assert ten_fold(np.where(same, 0.1, 2.0), same) == (1, 0)
    assert ten_fold(np.where(same, 2.0, 0.1), same)[0] <= 0.5


def crops(count: int) -> np.ndarray:
    return random.integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


def encoded(crop: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_bin_files_are_read(tmp_path: Path, protocol: int) -> None:
    faces = crops(6)
    answers = [True, False, True]
    (tmp_path / "lfw.bin").write_bytes(
        pickle.dumps(([encoded(face) for face in faces], answers), protocol=max(3, protocol))
    )
    pairs = read_bin(tmp_path / "lfw.bin")
    np.testing.assert_array_equal(pairs.crops, faces)
    assert pairs.compared.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert pairs.same.tolist() == answers


def test_bin_file_of_python_2_is_read(tmp_path: Path) -> None:
    """There a str is what is bytes now: SHORT_BINSTRING and BINSTRING."""
    faces = [encoded(face) for face in crops(2)]
    strings = b"".join(b"T" + len(face).to_bytes(4, "little") + face for face in faces)
    (tmp_path / "old.bin").write_bytes(b"\x80\x02](" + strings + b"e](\x88e\x86.")
    pairs = read_bin(tmp_path / "old.bin")
    assert (len(pairs.crops), pairs.same.tolist()) == (2, [True])


class Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_bin_file_runs_no_code(tmp_path: Path) -> None:
    harmful, trace = tmp_path / "harmful.bin", tmp_path / "trace"
    harmful.write_bytes(pickle.dumps(([Harmful(trace)] * 2, [True])))
    with pytest.raises(pickle.UnpicklingError, match="has no use for"):
        read_bin(harmful)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (([b"a"], [True]), "1 crops for 1 pairs"),
        ((["a", "b"], [True]), "a crop is a str"),
        (7, "not a pair of crops and answers"),
        (([b"", b""], ["yes"]), "2 crops for 1 pairs"),
    ],
)
def test_bin_file_of_another_form_is_refused(tmp_path: Path, content: object, complaint: str) -> None:
    (tmp_path / "odd.bin").write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=complaint):
        read_bin(tmp_path / "odd.bin")


def test_pairs_of_a_folder_are_balanced_in_every_fold(tmp_path: Path) -> None:
    for number in range(6):
        folder.write(tmp_path / "aligned", f"{number:03d}", crops(5))
    people = folder.read(tmp_path)
    assert [len(person) for person in people] == [5] * 6
    pairs = pairs_of_folder(people, 40)
    owner = np.repeat(np.arange(6), 5)[pairs.compared]
    np.testing.assert_array_equal(owner[:, 0] == owner[:, 1], pairs.same)
    assert (pairs.same.reshape(10, -1).sum(1) == 4).all()
    assert len({tuple(pair) for pair in pairs.compared.tolist()}) == 80
    with pytest.raises(ValueError, match="60 pairs where 70 are wanted"):
        pairs_of_folder(people, 70)


def test_mirrored_face_counts_as_much_as_the_face() -> None:
    """The sum of both views is the same for a face and its mirror image: such pairs are always one person."""
    faces = crops(20)
    mirrored = np.concatenate([faces, faces[:, :, ::-1]])
    same = np.arange(20) % 2 == 0
    compared = np.stack([np.arange(20), np.where(same, np.arange(20) + 20, (np.arange(20) + 1) % 20)], 1)
    projection = random.standard_normal((112 * 112 * 3, 16))

    def embed(rows: np.ndarray) -> np.ndarray:
        return (rows.reshape(len(rows), -1) / 255 - 0.5) @ projection

    assert accuracy(embed, Pairs(mirrored, compared, same))[0] == 1
