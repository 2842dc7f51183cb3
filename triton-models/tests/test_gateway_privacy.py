"""Photos, crops, embeddings and portraits are in requests and answers, and nowhere else.

A real gateway and a real Triton, with all logging that can be had, are called in every way, wrongly too. Then all that
they have written and said is searched: logs, statuses with their details and trailers, metrics, spans, and every file.
"""

import base64
import ctypes
import http.client
import io
import json
import os
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

from evaluation import api
from serving import local_http
from serving.gateway import Gateway, java
from serving.triton import Options, Triton
from tests.otlp import Receiver
from tests.pictures import SAMPLE, crops
from tests.traces import Secrets

LONG_STEPS = 100
MAX_PHOTO_BYTES = 1 << 20
FINISH = 2
IN_CREATE = 0x100

# What people turn up who look for an error. The frames of HTTP/2 are among it, unless the build forbids.
LOUD = [
    "-Dquarkus.log.level=TRACE",
    *(
        f'-Dquarkus.log.category."{category}".level=TRACE'
        for category in ("dev.arc2face", "io.grpc", "io.grpc.netty", "io.netty", "io.vertx", "io.quarkus")
    ),
]


@dataclass
class Told:
    """What was said and written, by where it was found; and what each call ended with."""

    written: dict[str, bytes] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)  # files in the folder for temporary ones, gone ones too
    secrets: Secrets | None = None

    def traces(self) -> list[str]:
        return [
            f"{place}: {trace}"
            for place, data in self.written.items()
            for trace in self.secrets.traces_in(data)
        ]


@dataclass(frozen=True)
class Person:
    """Somebody's biometric data."""

    photo: bytes
    crop: bytes
    embedding: list[float]

    @staticmethod
    def of(info: Any) -> "Person":
        embedding = np.random.default_rng(11).uniform(0.1, 1, info.embedding_size).astype(np.float32)
        return Person(SAMPLE.read_bytes(), crops()[0].tobytes(), embedding.tolist())


@pytest.fixture(scope="module")
def told(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("privacy")
    here, temporary = folder / "here", folder / "temporary"
    here.mkdir()
    temporary.mkdir()
    told = Told()
    with ExitStack() as servers, pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setenv("TMPDIR", str(temporary))
        told.created = servers.enter_context(creations(temporary))
        receiver = servers.enter_context(Receiver())
        triton = servers.enter_context(Triton(Options(run=folder / "triton")))
        gateway = servers.enter_context(
            Gateway(
                jar,
                f"{triton.listening.host}:{triton.listening.grpc}",
                folder / "gateway.log",
                java_options=[
                    *LOUD,
                    f"-Djava.io.tmpdir={temporary}",
                    f"-Darc2face.limits.max-photo-bytes={MAX_PHOTO_BYTES}",
                    "-Darc2face.triton.patience=PT1S",
                    f"-Dotel.exporter.otlp.endpoint={receiver.endpoint}",
                ],
            )
        )
        with api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client:
            caller = Caller(client, told)
            call_well(caller)
            call_wrongly(caller)
            call_over_http(caller, f"{gateway.host}:{gateway.http_port}")
            lose_the_model_server(caller, triton)
        told.written["metrics"] = local_http.get(gateway.host, gateway.management_port, "/q/metrics") or b""
        told.written["flags"] = jcmd(gateway, "VM.flags", "-all")
    told.written["spans"] = b"".join(receiver.received)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            told.written[str(file.relative_to(folder))] = file.read_bytes()
    told.secrets = caller.secrets()
    return told


class Caller:
    """Makes calls, keeps what they end with, and learns what the answers tell of the person."""

    def __init__(self, client: api.Gateway, told: Told) -> None:
        self.client, self.told = client, told
        self.info = client.unary("GetModelInfo", api.message("GetModelInfoRequest"))
        self.person = Person.of(self.info)
        self.computed: dict[str, list[float]] = {}
        self.portraits: list[bytes] = []

    def photo(self, data: bytes | None = None, **fields: Any) -> Any:
        return api.message("IdentitySource", photo=self.person.photo if data is None else data, **fields)

    def crop(self, data: bytes | None = None) -> Any:
        face = api.message("AlignedFace", rgb=self.person.crop if data is None else data)
        return api.message("IdentitySource", aligned_face=face)

    def embedding(self, values: list[float] | None = None, recogniser: str = "") -> Any:
        embedding = api.message(
            "Embedding",
            values=self.person.embedding if values is None else values,
            recogniser_id=recogniser or self.info.recogniser_id,
        )
        return api.message("IdentitySource", embedding=embedding)

    def generation(self, identity: Any, **fields: Any) -> Any:
        return api.message("GenerateRequest", **{"identity": identity, "steps": 4, "num_images": 2, **fields})

    def ends(self, expected: str, name: str, call: Callable[[], object]) -> None:
        """What the call ends with; "failed" stands for anything but OK."""
        try:
            call()
            ended = "OK"
        except grpc.RpcError as error:
            ended = api.status(error)
            self.told.written[f"status of {name}"] = said(error)
        self.told.ended[name] = ended
        assert ended == expected or (expected == "failed" and ended != "OK"), f"{name}: {ended}"

    def generate(self, request: Any, timeout: float = 60, metadata: Any = ()) -> None:
        for event in self.client.generate(request, timeout, metadata):
            if event.HasField("image"):
                self.portraits.append(event.image.data)

    def embed(self, name: str, identity: Any) -> None:
        answer = self.client.unary("EmbedFace", api.message("EmbedFaceRequest", identity=identity))
        self.computed[name] = list(answer.embedding.values)

    def raw(self, method: str, request: bytes) -> None:
        self.client.channel.unary_unary(f"/{api.SERVICE}/{method}")(request, timeout=60)

    def secrets(self) -> Secrets:
        given = np.array(self.person.embedding)
        return Secrets(
            {
                "the photo": pixels(self.person.photo),
                "the crop": self.person.crop,
                **{f"portrait {i}": pixels(data) for i, data in enumerate(self.portraits)},
            },
            {
                "the embedding": given,
                "the embedding's direction": given / np.linalg.norm(given),
                **{f"the embedding of {name}": values for name, values in self.computed.items()},
            },
        )


def call_well(caller: Caller) -> None:
    for name, identity in identities(caller).items():
        caller.ends("OK", f"embed {name}", lambda name=name, identity=identity: caller.embed(name, identity))
        compare = api.message("CompareFacesRequest", first=identity, second=caller.photo())
        caller.ends(
            "OK", f"compare {name}", lambda request=compare: caller.client.unary("CompareFaces", request)
        )
        request = caller.generation(identity, preview_every=1)
        caller.ends("OK", f"generate from {name}", lambda request=request: caller.generate(request))
    detect = api.message("DetectFacesRequest", photo=caller.person.photo)
    caller.ends("OK", "detect", lambda: caller.client.unary("DetectFaces", detect))
    held = caller.generation(caller.photo(), request_id="held", on_disconnect=FINISH)
    caller.ends("OK", "generate to be held", lambda: caller.generate(held))
    caller.ends("OK", "resume", lambda: caller.generate(resumed(held)))
    forget = api.message("CancelGenerationRequest", request_id="held")
    caller.ends("OK", "forget", lambda: caller.client.unary("CancelGeneration", forget))


def identities(caller: Caller) -> Mapping[str, Any]:
    return {"photo": caller.photo(), "crop": caller.crop(), "embedding": caller.embedding()}


def resumed(request: Any) -> Any:
    later = type(request).FromString(request.SerializeToString())
    later.after_sequence = 3
    return later


def call_wrongly(caller: Caller) -> None:
    photo, crop, embedding = caller.person.photo, caller.person.crop, caller.person.embedding
    large = photo + photo  # what comes after a picture's end is no part of it
    wrong = {
        "photo cut short": ("INVALID_ARGUMENT IMAGE_DECODE_FAILED", caller.photo(photo[: len(photo) // 2])),
        "photo damaged": ("INVALID_ARGUMENT IMAGE_DECODE_FAILED", caller.photo(damaged(photo))),
        "photo without its beginning": (
            "INVALID_ARGUMENT UNSUPPORTED_IMAGE_FORMAT",
            caller.photo(pixels(photo)),
        ),
        "photo with too many bytes": ("INVALID_ARGUMENT IMAGE_TOO_LARGE", caller.photo(large)),
        "message too large": (
            "RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE",
            caller.photo(photo * (1 + (18 << 20) // len(photo))),
        ),
        "message too large for the transport": (
            "failed",
            caller.photo(photo * (1 + (33 << 20) // len(photo))),
        ),
        "photo without a face": ("INVALID_ARGUMENT NO_FACE_DETECTED", caller.photo(faceless(caller.person))),
        "face that is not there": (
            "INVALID_ARGUMENT FACE_INDEX_OUT_OF_RANGE",
            caller.photo(face_index=99),
        ),
        "crop of another size": ("INVALID_ARGUMENT INVALID_REQUEST", caller.crop(crop[:-3])),
        "embedding of another recogniser": (
            "FAILED_PRECONDITION EMBEDDING_MODEL_MISMATCH",
            caller.embedding(recogniser="another"),
        ),
        "embedding with NaN": (
            "INVALID_ARGUMENT EMBEDDING_INVALID",
            caller.embedding([*embedding[:-1], float("nan")]),
        ),
        "embedding too short": ("INVALID_ARGUMENT EMBEDDING_INVALID", caller.embedding(embedding[:-1])),
        "embedding too long by far": ("INVALID_ARGUMENT INVALID_REQUEST", caller.embedding(embedding * 40)),
    }
    for name, (expected, identity) in wrong.items():
        generate = caller.generation(identity)
        caller.ends(expected, f"generate: {name}", lambda request=generate: caller.generate(request))
        embed = api.message("EmbedFaceRequest", identity=identity)
        caller.ends(
            expected, f"embed: {name}", lambda request=embed: caller.client.unary("EmbedFace", request)
        )

    for name, identity in identities(caller).items():
        for wrong_field in ({"steps": 0}, {"scheduler": "none"}, {"variant": "none"}, {"request_id": "?"}):
            request = caller.generation(identity, **wrong_field)
            caller.ends(
                "failed", f"{wrong_field} with {name}", lambda request=request: caller.generate(request)
            )
        long = caller.generation(identity, steps=LONG_STEPS, request_id=f"long-{name}")
        caller.ends("failed", f"deadline with {name}", lambda request=long: caller.generate(request, 0.5))
        caller.ends("CANCELLED", f"cancelled with {name}", lambda request=long: cancel(caller, request))
        request = caller.generation(identity, request_id=f"long-{name}")
        caller.ends(
            "ALREADY_EXISTS REQUEST_ID_CONFLICT",
            f"another one's id with {name}",
            lambda request=request, long=long: conflict(caller, long, request),
        )

    for name, data in {"photo": photo, "crop": crop, "embedding": np.float32(embedding).tobytes()}.items():
        for method in ("Generate", "EmbedFace", "NoSuchMethod"):
            caller.ends(
                "failed", f"{name} as a message of {method}", lambda m=method, d=data: caller.raw(m, d)
            )
        small, oversized = ("x-some-bin", data[:512]), ("x-some-bin", (data * 20)[:20_000])
        request = caller.generation(caller.embedding())
        caller.ends("OK", f"{name} in metadata", lambda r=request, m=small: caller.generate(r, metadata=[m]))
        caller.ends(
            "failed",
            f"{name} in oversized metadata",
            lambda r=request, m=oversized: caller.generate(r, metadata=[m]),
        )


def call_over_http(caller: Caller, address: str) -> None:
    """As JSON and as a form; well, wrongly, too large, cut short, and with the photo where no photo belongs."""
    photo, crop, embedding = caller.person.photo, caller.person.crop, caller.person.embedding
    recogniser = caller.info.recogniser_id
    in_json = {
        "photo": {"photo": base64.b64encode(photo).decode()},
        "crop": {"alignedFace": {"rgb": base64.b64encode(crop).decode()}},
        "embedding": {"embedding": {"values": embedding, "recogniserId": recogniser}},
    }
    in_forms = {"photo": {"identity.photo": photo}, "crop": {"identity.alignedFace.rgb": crop}}

    def ends(expected: str, name: str, method: str, path: str, body: bytes = b"", kind: str = JSON) -> bytes:
        status, said = over_http(address, method, path, body, kind)
        ended = str(status)
        if status >= 400:
            caller.told.written[f"problem of {name}"] = said
            ended += " " + json.loads(said)["reason"]
        caller.told.ended[f"HTTP: {name}"] = ended
        assert ended == expected, f"{name}: {ended}"
        return said

    for name, identity in in_json.items():
        request = {"identity": identity, "requestId": f"http-{name}", "steps": 4, "previewEvery": 1}
        ends("202", f"generate from {name}", "POST", "/v1/generations", encoded(request))
        said = ends("200", f"events from {name}", "GET", f"/v1/generations/http-{name}/events")
        assert b"event: completed" in said
        file = ends("200", f"portrait from {name}", "GET", f"/v1/generations/http-{name}/images/0")
        caller.portraits.append(file)
        ends("200", f"latest from {name}", "GET", f"/v1/generations/http-{name}")
        ends("200", f"forget {name}", "DELETE", f"/v1/generations/http-{name}")
        ends("200", f"embed {name}", "POST", "/v1/faces:embed", encoded({"identity": identity}))
        both = {"first": identity, "second": in_json["photo"]}
        ends("200", f"compare {name}", "POST", "/v1/faces:compare", encoded(both))
        for wrong in ({"steps": 0}, {"steps": identity}, {"scheduler": "none"}, {"nothing": identity}):
            reason = "UNKNOWN_SCHEDULER" if "scheduler" in wrong else "INVALID_REQUEST"
            ends(
                f"400 {reason}",
                f"{[*wrong]} with {name}",
                "POST",
                "/v1/generations",
                encoded(request | wrong),
            )
        half = encoded(request)[: len(encoded(request)) // 2]
        ends("400 INVALID_REQUEST", f"half of {name}", "POST", "/v1/generations", half)
        as_name = base64.b64encode(crop if name == "crop" else photo)[:90].decode()
        ends(
            "400 INVALID_REQUEST",
            f"{name} as a name",
            "POST",
            "/v1/generations",
            encoded({as_name: identity}),
        )
    for name, parts in in_forms.items():
        request = encoded({"requestId": f"form-{name}", "steps": 4})
        body = form({"request": request, **parts})
        ends("202", f"form with {name}", "POST", "/v1/generations", body, FORM)
        ends("200", f"events of the form with {name}", "GET", f"/v1/generations/form-{name}/events")
        ends("400 INVALID_REQUEST", f"half a form with {name}", "POST", "/v1/generations", body[:-400], FORM)
        nowhere = form({"identity.nothing": next(iter(parts.values()))})
        ends("400 INVALID_REQUEST", f"form with {name} nowhere", "POST", "/v1/faces:embed", nowhere, FORM)
        twice = form({"request": encoded({"identity": in_json[name]}), **parts})
        ends("400 INVALID_REQUEST", f"form with {name} twice", "POST", "/v1/faces:embed", twice, FORM)
    large = form({"identity.photo": photo + photo})
    ends("400 IMAGE_TOO_LARGE", "photo with too many bytes", "POST", "/v1/faces:embed", large, FORM)
    huge = form({"identity.photo": photo * (1 + (18 << 20) // len(photo))})
    ends("413 MESSAGE_TOO_LARGE", "form too large", "POST", "/v1/faces:embed", huge, FORM)
    ends("415 INVALID_REQUEST", "photo as a body", "POST", "/v1/faces:detect", photo, "image/png")
    ends("400 INVALID_REQUEST", "photo as JSON", "POST", "/v1/faces:detect", photo)
    ends("400 INVALID_REQUEST", "photo as a form", "POST", "/v1/faces:detect", photo, FORM)
    with closing(http.client.HTTPConnection(address, timeout=60)) as broken:
        broken.putrequest("POST", "/v1/generations")
        broken.putheader("Content-Type", FORM)
        broken.putheader("Content-Length", str(2 * len(photo)))
        broken.endheaders(form({"identity.photo": photo})[: len(photo) // 2])


JSON = "application/json"
BOUNDARY = "----privacy"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def encoded(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request).encode()


def form(parts: Mapping[str, bytes]) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{{}}"; filename="face.png"\r\n\r\n'
    written = [head.format(name).encode() + data + b"\r\n" for name, data in parts.items()]
    return b"".join([*written, f"--{BOUNDARY}--\r\n".encode()])


def over_http(address: str, method: str, path: str, body: bytes, kind: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        connection.request(method, path, body or None, {"Content-Type": kind} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()


def pixels(png: bytes) -> bytes:
    """What is between its header and its end, which are much the same for everybody."""
    return png[png.index(b"IDAT") + 4 : png.rindex(b"IEND") - 8]


def damaged(photo: bytes) -> bytes:
    """Its middle upside down."""
    middle = len(photo) // 2
    return photo[:middle] + photo[middle : middle + 1000][::-1] + photo[middle + 1000 :]


def faceless(person: Person) -> bytes:
    """A picture of no face that is a secret all the same, since the photo's bytes are in its text."""
    picture = io.BytesIO()
    Image.new("RGB", (200, 200), (70, 80, 90)).save(picture, "JPEG", comment=pixels(person.photo)[:4000])
    return picture.getvalue()


def cancel(caller: Caller, request: Any) -> None:
    events = caller.client.generate(request)
    next(e for e in events if e.HasField("step_progress"))
    events.cancel()
    list(events)


def conflict(caller: Caller, running: Any, request: Any) -> None:
    """The same id for something else, while the first runs."""
    events = caller.client.generate(running)
    next(e for e in events if e.HasField("accepted"))
    try:
        caller.generate(request)
    finally:
        events.cancel()


def lose_the_model_server(caller: Caller, triton: Triton) -> None:
    """In the middle of a step, for each kind of identity; and there it stays."""
    with ExitStack() as running:
        long = {
            name: caller.client.generate(caller.generation(identity, steps=LONG_STEPS))
            for name, identity in identities(caller).items()
        }
        for events in long.values():
            running.callback(events.cancel)
            next(e for e in events if e.HasField("step_progress"))
        triton.child.process.send_signal(signal.SIGKILL)
        away = "UNAVAILABLE MODEL_SERVER_UNAVAILABLE"
        for name, events in long.items():
            caller.ends(away, f"model server lost with {name}", lambda events=events: list(events))
        for name, identity in identities(caller).items():
            caller.ends(away, f"embed {name} without models", lambda i=identity: caller.embed("nobody", i))


def said(error: grpc.RpcError) -> bytes:
    """All that the other side said with its status."""
    parts: list[bytes] = [str(error.details()).encode()]
    for metadata in (error.initial_metadata(), error.trailing_metadata()):
        for key, value in metadata or ():
            parts += [key.encode(), value if isinstance(value, bytes) else value.encode()]
    return b"\n".join(parts)


def jcmd(gateway: Gateway, *command: str) -> bytes:
    program = Path(java()).resolve().with_name("jcmd")
    pid = str(gateway.child.process.pid)
    return subprocess.run([program, pid, *command], check=True, stdout=subprocess.PIPE).stdout


@contextmanager
def creations(folder: Path) -> Iterator[list[str]]:
    """After it the list has the name of every file that was created in the folder."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, os.fsencode(folder), IN_CREATE) >= 0
    names: list[str] = []
    try:
        yield names
        events = os.read(watch, 1 << 20)
    except BlockingIOError:
        events = b""
    finally:
        os.close(watch)
    while events:
        *_, length = struct.unpack_from("iIII", events)
        names.append(events[16 : 16 + length].rstrip(b"\0").decode())
        events = events[16 + length :]


def test_nothing_of_the_person_is_found_anywhere(told: Told) -> None:
    assert told.traces() == []


def test_every_call_was_heard_of(told: Told) -> None:
    """The log is as loud as it can be, and there was something to search."""
    log = told.written["gateway.log"]
    assert b"DEBUG" in log
    assert b"long-photo" in log
    assert b"IMAGE_DECODE_FAILED" in log
    assert len(told.ended) > 60
    assert b"arc2face_calls_total{" in told.written["metrics"]
    assert b"IMAGE_DECODE_FAILED" in told.written["spans"]
    assert b"ModelInfer vae_decoder" in told.written["spans"]


def test_temporary_files_are_libraries_and_caches(told: Told) -> None:
    assert [name for name in told.created if not name.startswith(("lib", "vertx"))] == []


def test_heap_dumps_are_off(told: Told) -> None:
    [line] = [line for line in told.written["flags"].splitlines() if b" HeapDumpOnOutOfMemoryError " in line]
    assert b"= false" in line


@pytest.mark.parametrize(
    "write",
    [
        bytes,
        lambda data: b"DATA: length=512 bytes=" + data.hex().encode() + b"...",
        lambda data: data.hex().upper().encode()[1:],
        lambda data: b"|00000010| " + data.hex(" ").encode() + b" |",
        lambda data: b", ".join(b"0x%02x" % byte for byte in data),
        lambda data: str([byte - 256 if byte > 127 else byte for byte in data]).encode(),
        base64.b64encode,
        lambda data: base64.urlsafe_b64encode(b"xy" + data),
        lambda data: b'photo: "' + b"".join(b"\\%03o" % byte for byte in data) + b'"',
        lambda data: repr(data).encode(),
        lambda data: data.decode("latin-1").encode("utf-8"),
    ],
    ids=[
        "raw",
        "hex",
        "hex from the middle of a byte",
        "dump",
        "0x",
        "byte[]",
        "base64",
        "base64url from the middle of three bytes",
        "text format",
        "Python",
        "latin-1",
    ],
)
def test_traces_are_found_however_they_are_written(write: Callable[[bytes], bytes]) -> None:
    """The control: what is searched for would be found."""
    photo = pixels(SAMPLE.read_bytes())
    secrets = Secrets({"the photo": photo}, {})
    anywhere = len(photo) // 2 + 3
    assert (
        secrets.traces_in(b"2026-11-25 INFO it was " + write(photo[anywhere : anywhere + 64]) + b"\n") != []
    )
    assert secrets.traces_in(b"2026-11-25 INFO it was " + write(bytes(range(64))) + b"\n") == []


@pytest.mark.parametrize(
    "write",
    [
        lambda values: " ".join(f"{value:.4f}" for value in values).encode(),
        lambda values: "".join(f"    values: {value}\n" for value in values).encode(),
        lambda values: str([float(value) for value in values]).encode(),
        lambda values: values.astype("<f4").tobytes(),
        lambda values: values.astype("<f4").tobytes().hex().encode(),
        lambda values: base64.b64encode(values.astype(">f4").tobytes()),
        lambda values: base64.b64encode(values.astype("<f8").tobytes()),
    ],
    ids=["four decimals", "text format", "list", "floats", "hex", "base64", "doubles"],
)
def test_embeddings_are_found_however_they_are_written(write: Callable[[np.ndarray], bytes]) -> None:
    one, another = np.random.default_rng(3).normal(0, 0.06, (2, 256)).astype(np.float32)
    secrets = Secrets({}, {"the embedding": one})
    assert secrets.traces_in(b"it was " + write(one[100:140])) != []
    assert secrets.traces_in(b"it was " + write(another[100:140])) == []


def test_secrets_are_found_where_they_belong(told: Told) -> None:
    """In the request and in the answer."""
    photo = api.message("DetectFacesRequest", photo=SAMPLE.read_bytes()).SerializeToString()
    assert "the photo, raw" in told.secrets.traces_in(photo)
    [direction] = [vector for name, vector in told.secrets.vectors.items() if name.endswith("direction")]
    embedding = api.message("Embedding", values=direction, recogniser_id="some").SerializeToString()
    assert "the embedding's direction as <f4, raw" in told.secrets.traces_in(embedding)
