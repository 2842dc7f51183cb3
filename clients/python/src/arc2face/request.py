"""What a generation is asked for."""

import sys
import uuid
from typing import Any, Literal, TypedDict

from arc2face import v1
from arc2face.identity import Identity, message_of

if sys.version_info >= (3, 11):
    from typing import Unpack
else:
    from typing_extensions import Unpack

__all__ = ["GenerateOptions", "Unpack", "generate_request"]


class GenerateOptions(TypedDict, total=False):
    """Options of a generation. portrait_service.proto explains them; what is None or not given is the server's choice.

    num_images: portraits, 1 to 16.
    steps: denoising steps.
    guidance_scale: above 1 the network is asked twice in every step, with the identity and without it.
    guidance_until: the share of the steps that are guided.
    scheduler, variant: one of those that `Client.info` tells.
    seed: of the first portrait, the next ones count up; the same seed and options give the same bytes.
    preview_every: previews after each this many steps; 0 for none.
    output_format: "png", "jpeg", or what else the server writes.
    jpeg_quality: 1 to 100.
    min_similarity: a portrait that is less similar is drawn again, max_attempts times in all.
    reproducible: no batch is shared, for engines whose rounding depends on the batch.
    request_id: your name for the generation.
    on_disconnect: "finish" lets it go on when you leave.
    after_sequence: what an earlier call with this request_id has heard, see `Generation.sequence`.
    """

    num_images: int | None
    steps: int | None
    guidance_scale: float | None
    guidance_until: float | None
    scheduler: str | None
    variant: str | None
    seed: int | None
    preview_every: int | None
    output_format: str | None
    jpeg_quality: int | None
    min_similarity: float | None
    max_attempts: int | None
    reproducible: bool | None
    request_id: str | None
    on_disconnect: Literal["cancel", "finish"] | None
    after_sequence: int | None


def generate_request(identity: Identity, options: GenerateOptions) -> v1.GenerateRequest:
    """The request as the API has it. It has a request id in any case: without one it could not go on after a break."""
    request = v1.GenerateRequest(identity=message_of(identity))
    known = v1.GenerateRequest.DESCRIPTOR.fields_by_name
    for name, value in options.items():
        if name == "identity" or name not in known:
            raise TypeError(f"there is no option {name!r}")
        if value is not None:
            enum = known[name].enum_type
            setattr(request, name, value if enum is None else _number(name, enum, value))
    shares = len(request.identity.interpolation.t)
    if shares > 1 and not request.HasField("num_images"):
        request.num_images = shares
    request.request_id = request.request_id or uuid.uuid4().hex
    return request


def _number(name: str, enum: Any, value: Any) -> int:
    """An enum's number for its name in lower case."""
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    found = enum.values_by_name.get(f"{prefix}{str(value).upper()}")
    if found is None:
        known = [each.name.removeprefix(prefix).lower() for each in enum.values[1:]]
        raise ValueError(f"{name} is one of {known}, not {value!r}")
    return int(found.number)
