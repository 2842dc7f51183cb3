"""What the server says, as frozen dataclasses with the names of portrait_service.proto, which explains each field.

Durations are `timedelta`, repeated fields tuples, enums strings in lower case without their prefix ("largest"), and
what a message need not have is None. Where the server knows more than this version, `message` has it: the message
itself. A `repr` has neither pixels nor embeddings in it.
"""

import base64
import io
import os
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_args

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from PIL import Image

from arc2face import v1
from arc2face.identity import Embedding

M = TypeVar("M", bound=Message)
V = TypeVar("V", bound="Value[Any]")


@dataclass(frozen=True)
class Value(Generic[M]):
    """A message of the server's."""

    message: M = field(repr=False, compare=False, kw_only=True)

    def __init_subclass__(cls) -> None:
        (kind,) = get_args(cls.__orig_bases__[0])  # type: ignore[attr-defined]
        _VALUES[kind.DESCRIPTOR.full_name] = cls


_VALUES: dict[str, type[Any]] = {v1.Embedding.DESCRIPTOR.full_name: Embedding}


@dataclass(frozen=True)
class Point(Value[v1.Point]):
    """A point in pixels, from the top left."""

    x: float
    y: float


@dataclass(frozen=True)
class Face(Value[v1.Face]):
    """A detected face, in pixels of the upright photo or of the portrait."""

    index: int
    left: float
    top: float
    right: float
    bottom: float
    score: float
    landmarks: tuple[Point, ...] = field(repr=False)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, as `PIL.Image.Image.crop` takes it."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True)
class SourceReport(Value[v1.SourceReport]):
    """One of the sources that an identity was made of."""

    face_report: "FaceReport"
    similarity: float | None
    used: bool


@dataclass(frozen=True)
class FaceReport(Value[v1.FaceReport]):
    """What the detector saw, and which face is used, and why."""

    photo_width: int
    photo_height: int
    faces: tuple[Face, ...]
    used_index: int | None
    choice: str
    truncated: bool
    padded: bool
    sources: tuple[SourceReport, ...]

    @property
    def used(self) -> Face | None:
        """The face used; None without a photo."""
        return next((face for face in self.faces if face.index == self.used_index), None)


@dataclass(frozen=True)
class Accepted(Value[v1.Accepted]):
    """The request as the server understood it: always the first event."""

    request_id: str
    num_images: int
    steps: int
    guidance_scale: float
    scheduler: str
    seeds: tuple[int, ...]
    preview_every: int
    output_format: str
    jpeg_quality: int
    variant: str
    guidance_until: float
    reproducible: bool
    min_similarity: float | None
    max_attempts: int
    t: tuple[float, ...]


@dataclass(frozen=True)
class Queued(Value[v1.Queued]):
    """The generation waits for its turn."""

    position: int
    expected_wait: timedelta | None


@dataclass(frozen=True)
class StepProgress(Value[v1.StepProgress]):
    """A denoising step is done."""

    step: int
    total_steps: int
    elapsed: timedelta
    expected_remaining: timedelta
    attempt: int
    num_images: int


@dataclass(frozen=True)
class Preview(Value[v1.Preview]):
    """A small approximate picture of an unfinished portrait."""

    image_index: int
    step: int
    jpeg: bytes = field(repr=False)
    width: int
    height: int
    seed: int

    @cached_property
    def image(self) -> Image.Image:
        """The picture."""
        return _decoded(self.jpeg)


@dataclass(frozen=True)
class IdentityScore(Value[v1.IdentityScore]):
    """How similar a portrait is to the identity asked for: the cosine, None where no face was found in it."""

    similarity: float | None
    no_face_found: bool | None
    face: Face | None


@dataclass(frozen=True)
class Portrait(Value[v1.PortraitImage]):
    """A finished portrait."""

    image_index: int
    seed: int
    data: bytes = field(repr=False)
    format: str
    width: int
    height: int
    identity_score: IdentityScore
    attempts: int
    below_min_similarity: bool
    t: float | None

    @property
    def similarity(self) -> float | None:
        """Cosine to the identity asked for; None where no face was found."""
        return self.identity_score.similarity

    @cached_property
    def image(self) -> Image.Image:
        """The picture."""
        return _decoded(self.data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the bytes as they came; `portrait.image.save` would encode the pixels anew, and write nothing else."""
        path = Path(path)
        if Image.registered_extensions().get(path.suffix.lower()) != self.format.upper():
            raise ValueError(f"{path} does not end as the name of a {self.format.upper()} file does")
        path.write_bytes(self.data)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """A notebook shows the picture."""
        return {f"image/{self.format}": base64.b64encode(self.data).decode(), "text/plain": repr(self)}


@dataclass(frozen=True)
class ServedModel(Value[v1.ServedModel]):
    """A served network."""

    name: str
    version: str
    sha256: str
    licence: str
    max_batch_size: int
    engine: str
    instruction_set: str


@dataclass(frozen=True)
class PictureReceipt(Value[v1.PictureReceipt]):
    """What a receipt says of one portrait."""

    image_index: int
    seed: int
    attempts: int
    below_min_similarity: bool
    similarity: float | None
    picture_id: str
    width: int
    height: int
    sha256: str
    pixels_sha256: str


@dataclass(frozen=True)
class IdentityKind(Value[v1.IdentityKind]):
    """What kind of identity a request brought, without anything of what it shows."""

    kind: str
    face_index: int | None
    sources: "tuple[IdentityKind, ...]"


@dataclass(frozen=True)
class IdentityBinding(Value[v1.IdentityBinding]):
    """Who was asked for, in a form that tells nobody who it is."""

    kind: IdentityKind
    hmac_sha256: str
    key_id: str
    ephemeral_key: bool


@dataclass(frozen=True)
class ReceiptSignature(Value[v1.ReceiptSignature]):
    """A signature of a receipt."""

    key_id: str
    ed25519: bytes


@dataclass(frozen=True)
class Receipt(Value[v1.Receipt]):
    """What the portraits of a generation came from; docs/provenance.md explains it."""

    receipt_id: str
    request: Accepted
    pictures: tuple[PictureReceipt, ...]
    identity: IdentityBinding
    profile: str
    models: tuple[ServedModel, ...]
    model_server: str
    gateway_version: str
    signature: ReceiptSignature | None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as the command-line client's `verify` and `replay` read it."""
        Path(path).write_text(json_format.MessageToJson(self.message, indent=None) + "\n")


@dataclass(frozen=True)
class ReceiptKey(Value[v1.ReceiptKey]):
    """A key that receipts are signed with, or were."""

    key_id: str
    public_key: str


@dataclass(frozen=True)
class StageTiming(Value[v1.StageTiming]):
    """The time that a stage took."""

    stage: str
    duration: timedelta


@dataclass(frozen=True)
class Completed(Value[v1.Completed]):
    """The generation is finished: always its last event."""

    elapsed: timedelta
    timings: tuple[StageTiming, ...]
    unet_calls: int
    rejected: int
    receipt: Receipt | None


@dataclass(frozen=True)
class UnknownEvent(Value[v1.GenerateResponse]):
    """An event that this version does not know, from a newer server; nothing is lost by passing it over."""


#: What a generation tells, in the order in which it comes.
Event: TypeAlias = (
    Accepted | Queued | FaceReport | StepProgress | Preview | Portrait | Completed | UnknownEvent
)


@dataclass(frozen=True)
class Detection(Value[v1.DetectFacesResponse]):
    """The faces in a photo, by descending score."""

    photo_width: int
    photo_height: int
    faces: tuple[Face, ...]
    truncated: bool


@dataclass(frozen=True)
class EmbeddedFace(Value[v1.EmbedFaceResponse]):
    """An embedding, of unit length, and which face it is of."""

    embedding: Embedding
    face_report: FaceReport


@dataclass(frozen=True)
class Comparison(Value[v1.CompareFacesResponse]):
    """The cosine between two identities, -1 to 1, and which faces they are of."""

    similarity: float
    first_report: FaceReport
    second_report: FaceReport


@dataclass(frozen=True)
class SchedulerInfo(Value[v1.SchedulerInfo]):
    """A scheduler that the server knows."""

    id: str
    diffusers_class: str


@dataclass(frozen=True)
class VariantInfo(Value[v1.VariantInfo]):
    """A network that draws portraits."""

    id: str
    model: str
    default_steps: int
    default_guidance_scale: float
    default_scheduler: str


@dataclass(frozen=True)
class Limits(Value[v1.Limits]):
    """Limits of this deployment."""

    max_photo_bytes: int
    max_photo_pixels: int
    max_images: int
    max_steps: int
    min_face_pixels: int
    max_event_bytes: int
    max_running: int
    max_queued: int
    max_identity_pixels: int
    max_attempts: int


@dataclass(frozen=True)
class Defaults(Value[v1.Defaults]):
    """What a request that does not say gets."""

    steps: int
    guidance_scale: float
    scheduler: str
    preview_every: int
    output_format: str
    jpeg_quality: int
    variant: str


@dataclass(frozen=True)
class ModelInfo(Value[v1.GetModelInfoResponse]):
    """What is served."""

    profile: str
    image_width: int
    image_height: int
    embedding_size: int
    recogniser_id: str
    schedulers: tuple[SchedulerInfo, ...]
    limits: Limits
    defaults: Defaults
    models: tuple[ServedModel, ...]
    model_server: str
    gateway_version: str
    licence_notes: tuple[str, ...]
    variants: tuple[VariantInfo, ...]
    same_person_threshold: float
    receipt_keys: tuple[ReceiptKey, ...]


def read(kind: type[V], message: Message) -> V:
    """The value that a message is."""
    return cast(V, _value(kind, message))


def event_of(response: v1.GenerateResponse) -> Event:
    """What happened."""
    name = response.WhichOneof("event")
    if name is None:
        return UnknownEvent(message=response)
    message = getattr(response, name)
    return cast(Event, _value(_VALUES[message.DESCRIPTOR.full_name], message))


def _value(kind: type[Any], message: Message) -> Any:
    described = message.DESCRIPTOR.fields_by_name
    values = {
        each.name: _field(message, described[each.name]) for each in fields(kind) if each.name in described
    }
    if issubclass(kind, Value):
        values["message"] = message
    return kind(**values)


def _field(message: Message, described: Any) -> Any:
    content = getattr(message, described.name)
    if described.is_repeated:
        return tuple(_single(described, each) for each in content)
    if described.has_presence and not message.HasField(described.name):
        return None
    return _single(described, content)


def _single(described: Any, content: Any) -> Any:
    if isinstance(content, Duration):
        return content.ToTimedelta()
    if described.message_type is not None:
        return _value(_VALUES[described.message_type.full_name], content)
    if described.enum_type is not None:
        prefix = described.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        known = described.enum_type.values_by_number.get(content)
        return str(content) if known is None else known.name.removeprefix(prefix).lower()
    return content


def _decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
