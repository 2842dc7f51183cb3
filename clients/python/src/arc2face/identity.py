"""Who is to be portrayed: a photo, an aligned crop, an embedding, or somebody made of these."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from google.protobuf import json_format

from arc2face import v1
from arc2face.photo import PhotoLike, encoded, picture

_CROP = (112, 112)


@dataclass(frozen=True)
class Photo:
    """A face in a photo: the largest, or that of this index (`Client.detect` counts them)."""

    photo: PhotoLike = field(repr=False)
    face_index: int | None = None


@dataclass(frozen=True)
class AlignedFace:
    """A face that is already warped to the ArcFace five-point template: 112x112 pixels."""

    face: PhotoLike = field(repr=False)


@dataclass(frozen=True, init=False)
class Embedding:
    """An identity embedding and the recogniser that it came from. It identifies a person: keep it as you keep photos.

    Its file is that of the command-line client.
    """

    values: tuple[float, ...] = field(repr=False)
    recogniser_id: str

    def __init__(self, values: Iterable[float], recogniser_id: str) -> None:
        object.__setattr__(self, "values", tuple(float(value) for value in values))
        object.__setattr__(self, "recogniser_id", recogniser_id)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as JSON."""
        message = v1.Embedding(values=self.values, recogniser_id=self.recogniser_id)
        Path(path).write_text(json_format.MessageToJson(message, indent=None) + "\n")

    @staticmethod
    def load(path: str | os.PathLike[str]) -> "Embedding":
        """Reads what `save`, or the command-line client's `embed --out`, wrote."""
        try:
            message = json_format.Parse(Path(path).read_text(), v1.Embedding())
        except (json_format.ParseError, UnicodeDecodeError):
            raise ValueError(f"{os.fspath(path)} is no embedding") from None
        return Embedding(message.values, message.recogniser_id)


#: What shows a face.
Source: TypeAlias = PhotoLike | Photo | AlignedFace | Embedding


@dataclass(frozen=True, init=False)
class Average:
    """One person as 2 to 16 sources show them. What shows somebody else is left out; the face report says so."""

    sources: tuple[Source, ...] = field(repr=False)

    def __init__(self, *sources: Source) -> None:
        object.__setattr__(self, "sources", sources)


@dataclass(frozen=True)
class Interpolation:
    """Somebody between two people: at `t` 0 the first, at 1 the second; one `t` for all portraits, or one for each."""

    first: Source | Average = field(repr=False)
    second: Source | Average = field(repr=False)
    t: float | Iterable[float] = 0.5


#: Whatever tells the server who is meant.
Identity: TypeAlias = Source | Average | Interpolation


def message_of(identity: Identity) -> v1.IdentitySource:
    """The identity as the API has it. Files are read here."""
    match identity:
        case Photo():
            return v1.IdentitySource(photo=encoded(identity.photo), face_index=identity.face_index)
        case AlignedFace():
            return v1.IdentitySource(aligned_face=v1.AlignedFace(rgb=_crop(identity.face)))
        case Embedding():
            embedding = v1.Embedding(values=identity.values, recogniser_id=identity.recogniser_id)
            return v1.IdentitySource(embedding=embedding)
        case Average():
            average = v1.Average(sources=[message_of(source) for source in identity.sources])
            return v1.IdentitySource(average=average)
        case Interpolation():
            t = identity.t if isinstance(identity.t, Iterable) else [identity.t]
            between = v1.Interpolation(
                first=message_of(identity.first), second=message_of(identity.second), t=t
            )
            return v1.IdentitySource(interpolation=between)
        case _:
            return v1.IdentitySource(photo=encoded(identity))


def _crop(face: PhotoLike) -> bytes:
    image = picture(face)
    if image.size != _CROP:
        raise ValueError(f"an aligned face has 112x112 pixels, not {image.width}x{image.height}")
    return image.convert("RGB").tobytes()
