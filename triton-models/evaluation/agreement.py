"""Whether what the gateway reports of its pictures is what the original recogniser says of the delivered bytes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation import faces, original_recogniser
from evaluation.gallery import Picture
from evaluation.observation import decode
from evaluation.people import Person
from evaluation.statistics import mean


def judge(people: Sequence[Person], pictures: Sequence[Picture]) -> dict[str, Any]:
    """What the *original* recogniser says of the delivered bytes, beside what the gateway reported.

    `original` looks at the face where the gateway reported it, `detected_anew` where the detector sees it in the
    delivered bytes. A picture's control is the next person: somebody it was not made for.
    """
    crops, seen = [], []
    for number, picture in enumerate(pictures):
        pixels = decode(picture.data)
        anew = faces.find(pixels)
        # The gateway does not report whether it looked within a border: as whoever looks anew does.
        padded = anew is not None and anew.padded
        reported = None if picture.landmarks is None else faces.Face(picture.landmarks, padded)
        for view, face in (("original", reported), ("detected_anew", anew)):
            if face is not None:
                crops.append(faces.align(pixels, face))
                seen.append((number, view))
    judged: dict[tuple[int, str], np.ndarray] = {}
    if crops:
        rows = original_recogniser.embed(np.stack(crops))
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        judged = dict(zip(seen, rows, strict=True))

    def similarity(number: int, view: str, person: Person) -> float | None:
        embedding = judged.get((number, view))
        return None if embedding is None else float(embedding @ person.embedding)

    table = []
    for number, picture in enumerate(pictures):
        person, other = people[picture.person], people[(picture.person + 1) % len(people)]
        table.append(
            {
                "person": person.name,
                "seed": picture.seed,
                "reported": picture.reported,
                "original": similarity(number, "original", person),
                "detected_anew": similarity(number, "detected_anew", person),
                "control": None if other is person else similarity(number, "original", other),
            }
        )
    return {"figures": figures(table), "pictures": table}


def figures(table: Sequence[dict[str, Any]]) -> dict[str, float | int | None]:
    """Means over the pictures in which a face was found, and how far the judges are apart from the report."""
    reported, control = _present(table, "reported"), _present(table, "control")
    original, anew = _apart(table, "original"), _apart(table, "detected_anew")
    similarity, by_control = mean(reported), mean(control)
    return {
        "pictures": len(table),
        "faces_found": len(reported) / len(table) if table else None,
        "similarity": similarity,
        "control": by_control,
        "margin": None if similarity is None or by_control is None else similarity - by_control,
        "original_apart_mean": mean(original),
        "original_apart_most": max(original, default=None),
        "detected_anew_apart_mean": mean(anew),
        "detected_anew_apart_most": max(anew, default=None),
    }


def _apart(table: Sequence[dict[str, Any]], judge: str) -> list[float]:
    """Distances of a judge's similarities from the reported ones, where there are both."""
    return [
        abs(row["reported"] - row[judge])
        for row in table
        if row["reported"] is not None and row[judge] is not None
    ]


def _present(table: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [row[key] for row in table if row[key] is not None]
