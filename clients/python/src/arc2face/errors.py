"""What a call can fail with: an exception for each ErrorReason of the API.

Every one of them is an `Arc2FaceError` with the gRPC status code, the reason, its metadata, and, where the server tells
them, when to try again and which fields are wrong. A reason that this version does not know is the exception of its
status code, or an `Arc2FaceError`. What docs/api.md says of a reason holds for its class.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DOMAIN = "arc2face.dev"
_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class FieldViolation:
    """A field of the request that is wrong, by its path in the proto, and what is wrong with it."""

    field: str
    description: str


class Arc2FaceError(Exception):
    """A call failed."""

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        violations: Iterable[FieldViolation] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        #: The ErrorReason without its prefix: "NO_FACE_DETECTED"; empty where it does not come from the server.
        self.reason = reason
        #: What the reason says of itself; docs/api.md lists the keys.
        self.metadata = dict(metadata or {})
        #: Seconds after which it is worth another try, where the server says so.
        self.retry_after = retry_after
        self.violations = tuple(violations)

    def __str__(self) -> str:
        others = [f"{v.field}: {v.description}" for v in self.violations if v.description not in self.message]
        return "; ".join([f"{self.message} [{self.reason or self.code.name}]", *others])


class InvalidArgumentError(Arc2FaceError):
    """The request is wrong; the same one fails again."""


class InvalidRequestError(InvalidArgumentError):
    """A field breaks a constraint; `violations` names it."""


class ImageDecodeFailedError(InvalidArgumentError):
    """The photo is damaged or cut short."""


class ImageTooLargeError(InvalidArgumentError):
    """The photo has too many pixels or bytes."""


class UnsupportedImageFormatError(InvalidArgumentError):
    """The bytes are none of JPEG, PNG, WebP."""


class NoFaceDetectedError(InvalidArgumentError):
    """There is no face in the photo."""


class FaceTooSmallError(InvalidArgumentError):
    """The face is smaller than the smallest one accepted."""


class FaceIndexOutOfRangeError(InvalidArgumentError):
    """`face_index` names a face that is not there."""


class EmbeddingInvalidError(InvalidArgumentError):
    """The embedding is zero, not finite, or of the wrong length."""


class IdentitiesDisagreeError(InvalidArgumentError):
    """The sources of an average do not show one person."""


class UnknownSchedulerError(InvalidArgumentError):
    """No scheduler of that name."""


class UnknownVariantError(InvalidArgumentError):
    """No variant of that name is served."""


class FailedPreconditionError(Arc2FaceError):
    """What is served does not go with the request."""


class EmbeddingModelMismatchError(FailedPreconditionError):
    """The embedding comes from another recogniser than the one served."""


class ModelContractViolatedError(FailedPreconditionError):
    """The served models are not what the gateway needs."""


class NotFoundError(Arc2FaceError):
    """What is asked for is not there."""


class GenerationNotFoundError(NotFoundError):
    """The caller has no generation of that request id there."""


class RequestIdConflictError(Arc2FaceError):
    """The caller has another request with this request id there."""


class ResourceExhaustedError(Arc2FaceError):
    """The server, or what this caller may use of it, is used up for now."""


class QueueFullError(ResourceExhaustedError):
    """All places are taken, waiting ones too."""


class QuotaExceededError(ResourceExhaustedError):
    """The caller has used up what it may use."""


class DeadlineUnreachableError(ResourceExhaustedError):
    """The generation would not be finished before the timeout."""


class ClientTooSlowError(ResourceExhaustedError):
    """The events were not read for too long."""


class MessageTooLargeError(ResourceExhaustedError):
    """The request is larger than 17 MiB."""


class PermissionDeniedError(Arc2FaceError):
    """The caller lacks the role that the method needs."""


class PolicyRefusedError(PermissionDeniedError):
    """The operator's policy refuses the generation."""


class UnauthenticatedError(Arc2FaceError):
    """No credentials, or none that are valid."""


class UnavailableError(Arc2FaceError):
    """No server answers, or the connection broke."""


class ModelServerUnavailableError(UnavailableError):
    """The model server behind the gateway is away."""


class ShuttingDownError(UnavailableError):
    """The server is shutting down, and sends its callers to another one."""


class AuthenticationUnavailableError(UnavailableError):
    """The server cannot check tokens yet."""


class PolicyUnavailableError(UnavailableError):
    """The operator's policy cannot be asked."""


class DeadlineExceededError(Arc2FaceError):
    """The timeout has passed."""


class CancelledError(Arc2FaceError):
    """Somebody ended the call, or its generation."""


class UnimplementedError(Arc2FaceError):
    """The server has no such method: it is older than this client, or another one."""


class InternalError(Arc2FaceError):
    """A defect of the server; the message has an id to look for in its log."""


def _all(parent: type[Arc2FaceError]) -> Iterable[type[Arc2FaceError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _all(child)


def _upper_case(kind: type[Arc2FaceError]) -> str:
    """NoFaceDetectedError: NO_FACE_DETECTED."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).upper()


# Reasons and status codes have no name in common but those that are of the same meaning.
_KINDS = {_upper_case(kind): kind for kind in _all(Arc2FaceError)}


class _Failed(Protocol):
    """What the synchronous and the asyncio RpcError have in common."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


def explain(error: grpc.RpcError) -> Arc2FaceError:
    """The exception for a call that failed in gRPC."""
    failed = cast(_Failed, error)
    code = failed.code()
    info = error_details_pb2.ErrorInfo()
    retry_after = None
    violations: list[FieldViolation] = []
    for detail in _details(failed):
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo.FromString(detail.value)
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            wrong = error_details_pb2.BadRequest.FromString(detail.value).field_violations
            violations = [FieldViolation(each.field, each.description) for each in wrong]
    reason = info.reason if info.domain == _DOMAIN else ""
    kind = _KINDS.get(reason) or _KINDS.get(code.name, Arc2FaceError)
    return kind(
        failed.details() or "the call failed",
        code=code,
        reason=reason,
        metadata=info.metadata,
        retry_after=retry_after,
        violations=violations,
    )


def _details(failed: _Failed) -> Iterable[Any]:
    # Not by keys(): those of grpc.aio's older metadata are whole entries.
    raw = next((value for key, value in failed.trailing_metadata() or () if key == _DETAILS), None)
    if not isinstance(raw, bytes):
        return ()
    try:
        return list(status_pb2.Status.FromString(raw).details)
    except DecodeError:  # the status itself still says something
        return ()
