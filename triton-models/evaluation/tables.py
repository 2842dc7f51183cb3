"""The figures of a set of pictures: identity, by two recognisers; diversity; quality.

A set is, for every person, the faces seen in pictures of that person (None: no face found).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from evaluation.observation import Face
from evaluation.statistics import (
    area_under_curve,
    frechet_distance,
    histogram,
    mean,
    mean_pairwise_distance,
    summary,
)

FaceSet = Sequence[Sequence[Face | None]]
COSINES, DISTANCES = (-0.4, 1.0), (0.0, 1.2)  # of the histograms


@dataclass(frozen=True)
class Targets:
    """Who the pictures ought to show: embeddings [P,D], and dlib's descriptors [128] of whom there is a picture."""

    embeddings: np.ndarray
    descriptors: Sequence[np.ndarray | None]


@dataclass(frozen=True)
class Thresholds:
    """From which cosine on the served recogniser, and up to which distance dlib's, takes two faces for one person's."""

    cosine: float
    distance: float


def table(
    pictures: FaceSet, targets: Targets, thresholds: Thresholds, originals: Sequence[Face]
) -> dict[str, Any]:
    """Everything that is said of a method."""
    every = [face for row in pictures for face in row]
    return {
        "pictures": len(every),
        "faces_found": mean([face is not None for face in every]),
        "similarity": similarity(pictures, targets, thresholds),
        "independent": independence(pictures, targets, thresholds),
        "diversity": diversity(pictures),
        "quality": quality(_seen(every), originals),
    }


def similarity(pictures: FaceSet, targets: Targets, thresholds: Thresholds) -> dict[str, Any]:
    """Cosines by the recogniser that conditions the model: to the person asked for, and to every other one."""
    own, other, nearest = [], [], []
    for person, row in enumerate(pictures):
        for face in _seen(row):
            cosines = targets.embeddings @ face.embedding
            own.append(cosines[person])
            other.extend(np.delete(cosines, person))
            nearest.append(cosines.argmax() == person)
    limit = thresholds.cosine
    return {
        "own": summary(own),
        "control": summary(other),
        "area_under_curve": area_under_curve(np.array(own), np.array(other)),
        "nearest_is_own": mean(nearest) if len(targets.embeddings) > 1 else None,
        "threshold": limit,
        "own_accepted": mean(np.array(own) >= limit),
        "control_accepted": mean(np.array(other) >= limit),
        "own_histogram": histogram(own, *COSINES),
        "control_histogram": histogram(other, *COSINES),
    }


def independence(pictures: FaceSet, targets: Targets, thresholds: Thresholds) -> dict[str, Any]:
    """dlib's distances: to the source picture of the person asked for, and to those of all others."""
    known = [number for number, descriptor in enumerate(targets.descriptors) if descriptor is not None]
    descriptors = np.array([targets.descriptors[number] for number in known])
    own, other = [], []
    for person, row in enumerate(pictures if known else ()):
        is_own = np.array(known) == person
        for face in _seen(row):
            distances = np.linalg.norm(descriptors - face.descriptor, axis=1)
            own.extend(distances[is_own])
            other.extend(distances[~is_own])
    return {
        "own": summary(own),
        "control": summary(other),
        "area_under_curve": area_under_curve(-np.array(own), -np.array(other)),
        "threshold": thresholds.distance,
        "own_accepted": mean(np.array(own) <= thresholds.distance),
        "control_accepted": mean(np.array(other) <= thresholds.distance),
        "own_histogram": histogram(own, *DISTANCES),
        "control_histogram": histogram(other, *DISTANCES),
    }


def diversity(pictures: FaceSet) -> dict[str, Any]:
    """How much the pictures of one person differ, and those of different people (each one's first)."""
    people = [seen for row in pictures if len(seen := _seen(row)) > 1]
    firsts = [seen[0] for row in pictures if (seen := _seen(row))]
    return {"within": spread(people), "across": spread([firsts])}


def spread(groups: Sequence[Sequence[Face]]) -> dict[str, float | None]:
    """Means over the groups, of the differences between two of a group's faces, and of its deviations of pose.

    `features`: distance of dlib's features. `yaw`, `pitch`: standard deviation in degrees. `expression`: distance in
    total variation. `pixels`: mean absolute difference of the aligned faces, 0 to 1.
    """
    groups = [group for group in groups if len(group) > 1]
    return {
        "people": len(groups),
        "features": mean(
            [mean_pairwise_distance(np.stack([face.features for face in group])) for group in groups]
        ),
        "yaw": mean([np.std([face.yaw for face in group], ddof=1) for group in groups]),
        "pitch": mean([np.std([face.pitch for face in group], ddof=1) for group in groups]),
        "expression": mean([_mean_apart([face.expression for face in group]) / 2 for group in groups]),
        "pixels": mean(
            [
                _mean_apart([face.crop.ravel() / 255 for face in group]) / groups[0][0].crop.size
                for group in groups
            ]
        ),
    }


def quality(pictures: Sequence[Face], originals: Sequence[Face]) -> dict[str, Any]:
    """Against real pictures: Fréchet's distance of dlib's features, and the share of their mean gradient energy."""
    sharpness, wanted = (mean([face.sharpness for face in group]) for group in (pictures, originals))
    return {
        "frechet_distance": frechet_distance(features(pictures), features(originals)),
        "sharpness": sharpness,
        "sharpness_share": sharpness / wanted if sharpness is not None and wanted else None,
    }


def features(group: Sequence[Face]) -> np.ndarray:
    """dlib's features [N,256] of some faces."""
    return np.array([face.features for face in group], np.float64)


def same_person(pairs: Sequence[tuple[Face | None, Face | None]]) -> dict[str, Any]:
    """How alike two real pictures of a person are, by both recognisers."""
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    cosines = [float(one.embedding @ other.embedding) for one, other in both]
    distances = [float(np.linalg.norm(one.descriptor - other.descriptor)) for one, other in both]
    return {
        "similarity": summary(cosines),
        "independent": summary(distances),
        "similarity_histogram": histogram(cosines, *COSINES),
        "independent_histogram": histogram(distances, *DISTANCES),
    }


def _mean_apart(rows: Sequence[np.ndarray]) -> float:
    """Mean sum of absolute differences of two of the rows."""
    return float(np.mean([np.abs(one - other).sum() for one, other in combinations(rows, 2)]))


def _seen(row: Sequence[Face | None]) -> list[Face]:
    return [face for face in row if face is not None]
