"""Verification: are two faces one person's? Ten-fold accuracy, as it is reported for LFW and the sets after it."""

import io
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FOLDS = 10
THRESHOLDS = np.arange(0, 4, 0.01)  # of the squared distance of unit embeddings, as insightface has them
CROP = 112

Embed = Callable[[np.ndarray], np.ndarray]  # crops [N,112,112,3] -> embeddings [N,D] of any length


@dataclass(frozen=True)
class Pairs:
    """Crops [N,112,112,3], which of them are compared [P,2], and whether a pair is one person [P]."""

    crops: np.ndarray
    compared: np.ndarray
    same: np.ndarray


def accuracy(embed: Embed, pairs: Pairs) -> tuple[float, float]:
    """Mean and standard deviation over the folds; a face's embedding is the sum of its own and its mirror image's."""
    embeddings = embed(pairs.crops) + embed(np.ascontiguousarray(pairs.crops[:, :, ::-1]))
    embeddings = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    one, other = (embeddings[side] for side in pairs.compared.T)
    return ten_fold(np.square(one - other).sum(1), pairs.same)


def ten_fold(distances: np.ndarray, same: np.ndarray) -> tuple[float, float]:
    """Accuracy [mean, deviation]: each tenth of the pairs [P] is judged by the threshold that is best for the others.

    The pairs stay in their order, the first folds are the longer ones, and of equally good thresholds the least counts:
    as in insightface's verification.py.
    """
    right = (distances[:, None] < THRESHOLDS) == same[:, None]  # [P,T]
    folds = np.array_split(np.arange(len(same)), FOLDS)
    scores = []
    for fold in folds:
        rest = np.delete(right, fold, axis=0)
        scores.append(right[fold, rest.mean(0).argmax()].mean())
    return float(np.mean(scores)), float(np.std(scores))


def read_bin(path: Path) -> Pairs:
    """insightface's .bin (LFW, CFP-FP, CPLFW, AgeDB, CALFW): a pickle of encoded crops, two a pair, and the answers.

    A pickle can run code; this one may hold lists, bytes and booleans, and is refused where it names anything else.
    """
    with path.open("rb") as file:
        content = _Plain(file, encoding="bytes").load()
    if not (isinstance(content, tuple | list) and len(content) == 2):
        raise ValueError(f"{path} is not a pair of crops and answers")
    encoded, answers = content
    if len(encoded) != 2 * len(answers) or not all(isinstance(answer, bool | int) for answer in answers):
        raise ValueError(f"{path} has {len(encoded)} crops for {len(answers)} pairs")
    crops = np.stack([_crop(data) for data in encoded])
    return Pairs(crops, np.arange(len(crops)).reshape(-1, 2), np.array(answers, bool))


class _Plain(pickle.Unpickler):
    """Nothing but what pickle itself knows."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"a verification set has no use for {module}.{name}")


def _crop(data: Any) -> np.ndarray:
    if not isinstance(data, bytes):
        raise ValueError(f"a crop is a {type(data).__name__}, not encoded bytes")
    with Image.open(io.BytesIO(data)) as image:
        if image.size != (CROP, CROP):
            raise ValueError(f"a crop of {image.size} pixels, not {CROP}x{CROP}")
        return np.asarray(image.convert("RGB"))


def pairs_of_folder(people: Sequence[np.ndarray], count: int, seed: int = 0) -> Pairs:
    """`count` pairs of one person and as many of two, fold by fold, from each person's crops [n,112,112,3].

    Within a fold every pair of one person is drawn anew; no pair comes twice.
    """
    random = np.random.default_rng(seed)
    crops = np.concatenate(people)
    owner = np.repeat(np.arange(len(people)), [len(person) for person in people])
    first, second = np.triu_indices(len(crops), 1)
    same = owner[first] == owner[second]
    drawn = []
    for kind in (np.flatnonzero(same), np.flatnonzero(~same)):
        if len(kind) < count:
            raise ValueError(f"{len(kind)} pairs where {count} are wanted")
        drawn.append(random.choice(kind, count, replace=False).reshape(FOLDS, -1))
    chosen = np.concatenate(drawn, axis=1).ravel()  # every fold has as many of either kind
    return Pairs(crops, np.stack([first[chosen], second[chosen]], 1), same[chosen])
