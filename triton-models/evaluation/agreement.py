"""How well pictures that the gateway delivers keep the identity that they were asked for."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evaluation import faces, held_out, original_recogniser
from evaluation.api import Gateway, message

CALLERS = 4  # at once, so that the batcher has something to join


@dataclass(frozen=True)
class Person:
    """Somebody to portray: a name, what goes into the request, the embedding [D] of unit length."""

    name: str
    source: Any
    embedding: np.ndarray


@dataclass(frozen=True)
class Options:
    """What every request has in common; None leaves it to the server."""

    images: int = 1
    seed: int = 1
    steps: int | None = None
    guidance: float | None = None
    scheduler: str = ""
    jpeg: bool = False


@dataclass(frozen=True)
class Picture:
    """A delivered picture: the person's number, its seed, its bytes, and what the gateway says of it.

    That is the similarity and the landmarks [5,2] of the face that it scored, both None where it found no face.
    """

    person: int
    seed: int
    data: bytes
    reported: float | None
    landmarks: np.ndarray | None


def held_out_people(count: int) -> list[Person]:
    """The first of the people whom no training saw, by their embeddings."""
    return [
        Person(
            f"held-out {number}",
            message(
                "IdentitySource",
                embedding=message("Embedding", values=row.tolist(), recogniser_id=held_out.RECOGNISER),
            ),
            row,
        )
        for number, row in enumerate(held_out.embeddings()[:count])
    ]


def people_of_photos(gateway: Gateway, folder: Path) -> list[Person]:
    """The largest face of each photo in a folder, embedded by the gateway."""
    people = []
    for path in sorted(folder.iterdir()):
        source = message("IdentitySource", photo=path.read_bytes())
        answer = gateway.unary("EmbedFace", message("EmbedFaceRequest", identity=source))
        people.append(Person(path.name, source, np.array(answer.embedding.values, np.float32)))
    return people


def portray(gateway: Gateway, people: Sequence[Person], options: Options) -> list[Picture]:
    """Pictures of each person, person by person; each person has seeds of their own."""
    with ThreadPoolExecutor(CALLERS) as pool:
        results = pool.map(lambda i: _portray_one(gateway, i, people[i], options), range(len(people)))
        return [picture for pictures in results for picture in pictures]


def _portray_one(gateway: Gateway, number: int, person: Person, options: Options) -> list[Picture]:
    request = message(
        "GenerateRequest",
        identity=person.source,
        num_images=options.images,
        seed=options.seed + number * options.images,
        preview_every=0,
        scheduler=options.scheduler,
        output_format="IMAGE_FORMAT_JPEG" if options.jpeg else "IMAGE_FORMAT_PNG",
    )
    if options.steps is not None:
        request.steps = options.steps
    if options.guidance is not None:
        request.guidance_scale = options.guidance
    return [_picture(number, event.image) for event in gateway.generate(request) if event.HasField("image")]


def _picture(number: int, image: Any) -> Picture:
    score = image.identity_score
    if not score.HasField("similarity"):
        return Picture(number, image.seed, image.data, None, None)
    landmarks = np.array([[point.x, point.y] for point in score.face.landmarks])
    return Picture(number, image.seed, image.data, score.similarity, landmarks)


def judge(people: Sequence[Person], pictures: Sequence[Picture]) -> dict[str, Any]:
    """What the *original* recogniser says of the delivered bytes, beside what the gateway reported.

    `original` looks at the face where the gateway reported it, `detected_anew` where the detector sees it in the
    delivered bytes. A picture's control is the next person: somebody it was not made for.
    """
    crops, seen = [], []
    for number, picture in enumerate(pictures):
        pixels = np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"))
        for view, points in (("original", picture.landmarks), ("detected_anew", faces.landmarks(pixels))):
            if points is not None:
                crops.append(faces.align(pixels, points))
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
    similarity, by_control = _mean(reported), _mean(control)
    return {
        "pictures": len(table),
        "faces_found": len(reported) / len(table) if table else None,
        "similarity": similarity,
        "control": by_control,
        "margin": None if similarity is None or by_control is None else similarity - by_control,
        "original_apart_mean": _mean(original),
        "original_apart_most": max(original, default=None),
        "detected_anew_apart_mean": _mean(anew),
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


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
