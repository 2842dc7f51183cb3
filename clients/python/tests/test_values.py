"""That the package says what the proto says, and what it does with what it does not know."""

import inspect
import pickle
from dataclasses import fields
from datetime import timedelta
from typing import Any, get_args, get_type_hints

import pytest
from google.protobuf import descriptor
from google.protobuf.message import Message

import arc2face
from arc2face import calls, errors, request, v1, values
from arc2face.connection import RETRIES, Connection

KINDS = [kind for kind in values._VALUES.values() if issubclass(kind, values.Value)]
SERVICE = v1.DESCRIPTOR.services_by_name["PortraitService"]


@pytest.mark.parametrize("kind", KINDS)
def test_values_have_the_fields_of_their_messages(kind: type[values.Value[Any]]) -> None:
    (message,) = get_args(kind.__orig_bases__[0])
    described = message.DESCRIPTOR.fields_by_name
    hints = get_type_hints(kind)
    names = {each.name for each in fields(kind)} - {"message"}
    assert names == set(described) - {"event"} or kind is values.UnknownEvent
    for name in names:
        assert admits(hints[name], described[name]), f"{name}: {hints[name]}"


def admits(hint: Any, field: Any) -> bool:
    """Whether a field's value is of the type that is written in the dataclass."""
    if field.is_repeated:
        (hint, rest) = get_args(hint)
        return rest is ... and matches(hint, field)
    if field.message_type is None and field.has_presence:
        return type(None) in get_args(hint) and any(matches(each, field) for each in get_args(hint))
    return matches(hint, field) or any(matches(each, field) for each in get_args(hint))


def matches(hint: Any, field: Any) -> bool:
    kinds = descriptor.FieldDescriptor
    if field.message_type is not None:
        name = field.message_type.full_name
        return hint is (timedelta if name == "google.protobuf.Duration" else values._VALUES[name])
    scalar: type = {
        kinds.CPPTYPE_STRING: bytes if field.type == kinds.TYPE_BYTES else str,
        kinds.CPPTYPE_ENUM: str,
        kinds.CPPTYPE_BOOL: bool,
        kinds.CPPTYPE_FLOAT: float,
        kinds.CPPTYPE_DOUBLE: float,
    }.get(field.cpp_type, int)
    return hint is scalar


def test_every_event_of_the_proto_has_its_class() -> None:
    cases = v1.GenerateResponse.DESCRIPTOR.oneofs_by_name["event"].fields
    known = {values._VALUES[field.message_type.full_name] for field in cases}
    assert known | {arc2face.UnknownEvent} == set(get_args(arc2face.Event))


def test_every_reason_of_the_proto_has_its_class() -> None:
    reasons = {name.removeprefix("ERROR_REASON_") for name in dict(v1.ErrorReason.items())} - {"UNSPECIFIED"}
    assert reasons <= set(errors._KINDS)


def test_every_option_of_the_proto_can_be_given() -> None:
    in_proto = set(v1.GenerateRequest.DESCRIPTOR.fields_by_name) - {"identity"}
    assert set(request.GenerateOptions.__annotations__) == in_proto


def test_every_method_of_the_proto_can_be_called() -> None:
    class Channel:
        """Takes note of the methods."""

        def __init__(self) -> None:
            self.bound: list[tuple[str, str]] = []

        def unary_unary(self, path: str, **_: Any) -> None:
            self.bound.append((path, "unary"))

        def unary_stream(self, path: str, **_: Any) -> None:
            self.bound.append((path, "stream"))

    channel = Channel()
    calls.Calls(channel)
    assert sorted(channel.bound) == sorted(
        (f"/{SERVICE.full_name}/{method.name}", "stream" if method.server_streaming else "unary")
        for method in SERVICE.methods
    )


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert methods(arc2face.Client) == methods(arc2face.AsyncClient)
    both = {name.removeprefix("a"): given for name, given in methods(arc2face.AsyncGeneration).items()}
    assert methods(arc2face.Generation) == both
    assert inspect.signature(arc2face.Client) == inspect.signature(arc2face.AsyncClient)


def test_what_a_newer_server_says_is_not_lost() -> None:
    later = v1.GenerateResponse.FromString(b"\x08\x05\xca\x3e\x02\x08\x07")  # sequence 5, and a field 1001
    event = values.event_of(later)
    assert isinstance(event, arc2face.UnknownEvent)
    assert event.message.SerializeToString() == b"\x08\x05\xca\x3e\x02\x08\x07"
    of_format_99 = v1.PortraitImage.FromString(b"\x20\x63")
    portrait = values.event_of(v1.GenerateResponse(image=of_format_99))
    assert isinstance(portrait, arc2face.Portrait)
    assert portrait.format == "99"


def test_nothing_biometric_is_printed() -> None:
    secret: list[Message] = [
        v1.GenerateResponse(image=v1.PortraitImage(data=b"SECRET")),
        v1.GenerateResponse(preview=v1.Preview(jpeg=b"SECRET")),
    ]
    for message in secret:
        assert "SECRET" not in repr(values.event_of(message))
    face = v1.EmbedFaceResponse(embedding=v1.Embedding(values=[0.12345], recogniser_id="r"))
    assert "0.123" not in repr(values.read(arc2face.EmbeddedFace, face))
    assert "SECRET" not in repr(arc2face.Photo(b"SECRET"))
    between = arc2face.Interpolation(b"SECRET", arc2face.Average(b"SECRET", b"SECRET"))
    assert "SECRET" not in repr([between, arc2face.AlignedFace(b"SECRET"), between.second])


def test_credentials_are_not_printed() -> None:
    for given in ({"api_key": "SECRET", "token": None}, {"api_key": None, "token": "SECRET"}):
        connection = Connection.of("here:1", None, timeout=1, retries=RETRIES, options=(), **given)
        assert "SECRET" not in repr(connection)
        assert "SECRET" in str(connection.metadata())


def test_errors_and_values_can_be_sent_to_another_process() -> None:
    error = errors.QueueFullError("full", reason="QUEUE_FULL", metadata={"a": "b"}, retry_after=1.5)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.metadata, again.retry_after) == (
        errors.QueueFullError,
        "full [QUEUE_FULL]",
        {"a": "b"},
        1.5,
    )
    face = values.read(arc2face.Face, v1.Face(index=1, score=0.5, landmarks=[v1.Point(x=1, y=2)]))
    assert pickle.loads(pickle.dumps(face)) == face


def test_environment_says_what_is_not_given() -> None:
    environment = {"ARC2FACE_TARGET": "there:1", "ARC2FACE_API_KEY": "key", "ARC2FACE_TLS_CA": "ca.pem"}

    def connection(target: str | None = None, tls: Any = None, token: str | None = None) -> Connection:
        return Connection.of(target, tls, None, token, 1, RETRIES, (), environment)

    assert connection().target == "there:1"
    assert connection().metadata() == (("x-api-key", "key"),)
    assert connection().tls == arc2face.Tls("ca.pem")
    assert connection(target="here:2").target == "here:2"
    assert connection(token="token").metadata() == (("authorization", "Bearer token"),)
    assert connection(tls=False).tls is None
