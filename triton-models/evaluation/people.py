"""Who is to be portrayed: people whom no training saw, the people in a folder of photos, or embeddings from a file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from PIL import Image

from evaluation import held_out
from evaluation.api import Gateway, message, status

PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Person:
    """Somebody to portray: a name, what goes into the request, the embedding [D] of unit length.

    `pictures` are encoded and show the person: first the source, then others. There are none of a bare embedding.
    """

    name: str
    source: Any
    embedding: np.ndarray
    pictures: Sequence[bytes] = ()


@dataclass(frozen=True)
class Group:
    """People who are measured together; what their further pictures are, and whom the gateway saw no face of."""

    kind: str
    people: Sequence[Person]
    others: str
    left_out: Sequence[str] = ()


def held_out_people(count: int) -> Group:
    """The first of the held-out people, by their embeddings; the first 50 of them have near neighbours."""
    embeddings, portraits, neighbours = held_out.embeddings(), held_out.portraits(), held_out.neighbours()
    people = [
        Person(
            f"held-out-{number:03d}",
            _embedding_source(embeddings[number], held_out.RECOGNISER),
            embeddings[number],
            [_encode(portraits[number]), *(_encode(tile) for tile in neighbours.get(number, ()))],
        )
        for number in range(min(count, len(embeddings)))
    ]
    return Group("held-out people", people, "near neighbours")


def people_of_photos(gateway: Gateway, folder: Path) -> Group:
    """Each photo in a folder is of somebody; a folder in it is of one person, its first photo being the source."""
    people, left_out = [], []
    for path in sorted(folder.iterdir()):
        photos = sorted(path.iterdir()) if path.is_dir() else [path]
        photos = [photo for photo in photos if photo.suffix.lower() in PHOTOS]
        if not photos:
            continue
        pictures = [photo.read_bytes() for photo in photos]
        source = message("IdentitySource", photo=pictures[0])
        try:
            answer = gateway.unary("EmbedFace", message("EmbedFaceRequest", identity=source))
        except grpc.RpcError as error:
            if not status(error).startswith("INVALID_ARGUMENT"):
                raise
            left_out.append(f"{path.name}: {status(error)}")
            continue
        people.append(Person(path.stem, source, np.array(answer.embedding.values, np.float32), pictures))
    return Group("photos", people, "other photos", left_out)


def people_of_embeddings(path: Path, recogniser: str) -> Group:
    """The rows of a file [N,D], by the recogniser that is served."""
    rows = np.load(path, allow_pickle=False).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    people = [
        Person(f"row-{number:05d}", _embedding_source(row, recogniser), row)
        for number, row in enumerate(rows)
    ]
    return Group("embeddings", people, "other photos")


def _embedding_source(row: np.ndarray, recogniser: str) -> Any:
    return message(
        "IdentitySource", embedding=message("Embedding", values=row.tolist(), recogniser_id=recogniser)
    )


def _encode(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()
