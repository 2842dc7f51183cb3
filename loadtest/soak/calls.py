"""What each kind of caller does, and what may become of its call."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
from PIL import Image

from evaluation.api import ROOT, SERVICE, Gateway, message, nobody, status
from loadtest.soak.plan import Call
from loadtest.soak.relay import Relay, reset

PNG, JPEG, FINISH = 1, 2, 2  # values of the API's enums
STALL_SECONDS = 5  # the gateway's limits.client-stall, as the soak sets it
HOLD_SECONDS = 5  # its resume.hold-time
RESUME_ATTEMPTS = 20
BUSY_SECONDS = 0.5

OK = "OK"
BUSY = "RESOURCE_EXHAUSTED QUEUE_FULL"  # there are more callers than places
TOO_SLOW = "RESOURCE_EXHAUSTED CLIENT_TOO_SLOW"
BROKEN = "UNAVAILABLE"  # by the transport, which knows no reason
LEFT = "CANCELLED"  # by this side
LEFT_AND_BUSY = "CANCELLED QUEUE_FULL"  # at the same moment
REFUSED = "refused as it must be"
# The deadline passed on this side, or before that at the gateway; or it was seen to be too short.
LATE = {"DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED DEADLINE_EXCEEDED"}

# What may become of each kind. A fault explains nothing: one replica is always well.
EXPECTED = {
    "whole": {OK, BUSY},
    "cancelled": {OK, BUSY, LEFT, LEFT_AND_BUSY},
    "connection cut": {OK, BUSY, BROKEN},
    "channel closed": {OK, BUSY, LEFT},
    "slow reader": {OK, BUSY, TOO_SLOW},
    "stopped reader": {OK, BUSY, TOO_SLOW},
    "short deadline": {OK, BUSY, "RESOURCE_EXHAUSTED DEADLINE_UNREACHABLE", *LATE},
    "cancelled by name": {OK, BUSY, "CANCELLED CANCELLED"},
    "finished and resumed": {OK, BUSY},
    "invalid": {BUSY, REFUSED},
    "faces": {OK},
    "faces, short deadline": {OK, *LATE},
    "request withheld": {BUSY, TOO_SLOW},
    "no HTTP/2": {OK},
}


@dataclass(frozen=True)
class Record:
    """What became of a call."""

    name: str
    kind: str
    status: str
    seconds: float
    rows: int  # of the UNet's, that the caller knows of

    @property
    def is_explained(self) -> bool:
        return self.status in EXPECTED[self.kind]


@dataclass(frozen=True)
class Subject:
    """Whom to call, and with what."""

    target: str
    info: Any
    photo: bytes
    flat: bytes  # a picture of nothing
    crop: bytes

    @staticmethod
    def of(target: str) -> "Subject":
        with Gateway(target) as gateway:
            info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
        flat = io.BytesIO()
        Image.new("RGB", (256, 256), (90, 120, 150)).save(flat, "PNG")
        photo = (ROOT / "samples/collins.png").read_bytes()
        with Image.open(io.BytesIO(photo)) as whole:
            crop = whole.convert("RGB").crop((168, 58, 280, 170)).tobytes()
        return Subject(target, info, photo, flat.getvalue(), crop)

    def channel(self, target: str = "", **options: Any) -> Gateway:
        """A connection of its own: grpc would share one."""
        alone = {"grpc.use_local_subchannel_pool": 1, **{f"grpc.{k}": v for k, v in options.items()}}
        return Gateway(target or self.target, list(alone.items()))

    def identity(self, call: Call) -> Any:
        if call.identity == "photo":
            return message("IdentitySource", photo=self.photo)
        if call.identity == "crop":
            return message("IdentitySource", aligned_face=message("AlignedFace", rgb=self.crop))
        return nobody(self.info, call.seed)

    def generation(self, call: Call, **fields: Any) -> Any:
        return message(
            "GenerateRequest",
            **{
                "request_id": call.name,
                "identity": self.identity(call),
                "num_images": call.images,
                "steps": call.steps,
                "guidance_scale": 3.0 if call.guided else 1.0,
                "preview_every": call.preview_every,
                "output_format": JPEG if call.jpeg else PNG,
                "seed": call.seed,
                **fields,
            },
        )


@dataclass
class Heard:
    """What a caller has heard of a generation."""

    sequence: int = 0
    step: int = 0
    images: list[int] = field(default_factory=list)
    is_complete: bool = False

    def listen(self, events: Any, pause: Callable[[], None] = lambda: None) -> str:
        """The status that it ends with."""
        try:
            for event in events:
                self.sequence = max(self.sequence, event.sequence)
                self.step = max(self.step, event.step_progress.step)
                if event.HasField("image"):
                    self.images.append(event.image.image_index)
                self.is_complete |= event.HasField("completed")
                pause()
        except grpc.RpcError as error:
            return status(error)
        return OK

    def judged(self, ended: str, call: Call) -> tuple[str, int]:
        """The status, unless something is missing, and the UNet's rows."""
        rows = self.step * call.images * (2 if call.guided else 1)
        whole = self.is_complete and sorted(self.images) == list(range(call.images))
        return (f"OK, but {self}" if ended == OK and not whole else ended), rows


def make(subject: Subject, call: Call) -> Record:
    began = time.monotonic()
    try:
        ended, rows = DEEDS[call.kind](subject, call)
    except Exception as error:  # that a caller is not up to its task must not end the soak, but be told
        ended, rows = f"the caller failed: {error!r}", 0
    if ended == BUSY:
        time.sleep(BUSY_SECONDS)
    return Record(call.name, call.kind, ended, time.monotonic() - began, rows)


@contextmanager
def after(seconds: float, deed: Callable[[], object]) -> Iterator[None]:
    """Does it if what is inside takes longer."""
    failures: list[Exception] = []

    def do() -> None:
        try:
            deed()
        except Exception as error:  # it is raised where somebody sees it
            failures.append(error)

    timer = threading.Timer(seconds, do)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
    for failure in failures:
        raise failure


def whole(
    subject: Subject, call: Call, pause: Callable[[], None] = lambda: None, **options: Any
) -> tuple[str, int]:
    heard = Heard()
    with subject.channel(**options) as gateway:
        return heard.judged(heard.listen(gateway.generate(subject.generation(call)), pause), call)


def cancelled(subject: Subject, call: Call) -> tuple[str, int]:
    heard = Heard()
    with subject.channel() as gateway:
        events = gateway.generate(subject.generation(call))
        with after(call.instant, events.cancel):
            return heard.judged(heard.listen(events), call)


def cut(subject: Subject, call: Call, heard: Heard | None = None, **fields: Any) -> tuple[str, int]:
    heard = heard or Heard()
    with Relay(subject.target) as relay, subject.channel(relay.target) as gateway:
        events = gateway.generate(subject.generation(call, **fields))
        with after(call.instant, relay.cut):
            return heard.judged(heard.listen(events), call)


def closed(subject: Subject, call: Call, heard: Heard | None = None, **fields: Any) -> tuple[str, int]:
    heard = heard or Heard()
    with subject.channel() as gateway:
        events = gateway.generate(subject.generation(call, **fields))
        with after(call.instant, gateway.channel.close):
            return heard.judged(heard.listen(events), call)


def slow(subject: Subject, call: Call) -> tuple[str, int]:
    return whole(subject, call, lambda: time.sleep(0.05), **SMALL_WINDOW)


def stopped(subject: Subject, call: Call) -> tuple[str, int]:
    stops = iter([0, 0, 2 * STALL_SECONDS])
    return whole(subject, call, lambda: time.sleep(next(stops, 0)), **SMALL_WINDOW)


def short_deadline(subject: Subject, call: Call) -> tuple[str, int]:
    heard = Heard()
    with subject.channel() as gateway:
        return heard.judged(heard.listen(gateway.generate(subject.generation(call), call.instant)), call)


def cancelled_by_name(subject: Subject, call: Call) -> tuple[str, int]:
    heard = Heard()
    with subject.channel() as gateway:
        events = gateway.generate(subject.generation(call))
        with after(call.instant, partial(forget, subject, call)):
            return heard.judged(heard.listen(events), call)


def resumed(subject: Subject, call: Call) -> tuple[str, int]:
    """Listens until its connection breaks, and comes back for the rest."""
    heard = Heard()
    leave = cut if call.which % 2 else closed
    ended, rows = leave(subject, call, heard, on_disconnect=FINISH)
    for _ in range(RESUME_ATTEMPTS):
        if heard.is_complete or ended not in (BUSY, BROKEN, LEFT):
            return ended, rows
        with subject.channel() as gateway:
            request = subject.generation(call, on_disconnect=FINISH, after_sequence=heard.sequence)
            ended, rows = heard.judged(heard.listen(gateway.generate(request)), call)
        if ended == BUSY:
            time.sleep(BUSY_SECONDS)
    forget(subject, call)
    return ended, rows


def forget(subject: Subject, call: Call) -> None:
    with subject.channel() as gateway:
        gateway.unary("CancelGeneration", message("CancelGenerationRequest", request_id=call.name))


def invalid(subject: Subject, call: Call) -> tuple[str, int]:
    expected, fields = WRONG[call.which % len(WRONG)]
    with subject.channel() as gateway:
        ended = Heard().listen(gateway.generate(subject.generation(call, **fields(subject))))
    if ended == expected:
        return REFUSED, 0
    return (BUSY if ended == BUSY else f"{ended}, not {expected}"), 0


def photo(data: bytes, **fields: Any) -> Mapping[str, Any]:
    return {"identity": message("IdentitySource", photo=data, **fields)}


def embedding(subject: Subject, spoil: Callable[[Any], None]) -> Mapping[str, Any]:
    identity = nobody(subject.info)
    spoil(identity.embedding)
    return {"identity": identity}


# What is wrong with a request, and what the gateway must say to it.
WRONG: Sequence[tuple[str, Callable[[Subject], Mapping[str, Any]]]] = [
    ("INVALID_ARGUMENT INVALID_REQUEST", lambda s: {"steps": 0}),
    ("INVALID_ARGUMENT INVALID_REQUEST", lambda s: {"num_images": 17}),
    ("INVALID_ARGUMENT UNKNOWN_SCHEDULER", lambda s: {"scheduler": "none"}),
    ("INVALID_ARGUMENT UNKNOWN_VARIANT", lambda s: {"variant": "none"}),
    ("INVALID_ARGUMENT IMAGE_DECODE_FAILED", lambda s: photo(s.photo[: len(s.photo) // 2])),
    ("INVALID_ARGUMENT UNSUPPORTED_IMAGE_FORMAT", lambda s: photo(b"not a photo")),
    ("INVALID_ARGUMENT NO_FACE_DETECTED", lambda s: photo(s.flat)),
    ("INVALID_ARGUMENT FACE_INDEX_OUT_OF_RANGE", lambda s: photo(s.photo, face_index=99)),
    ("RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE", lambda s: photo(bytes(18 << 20))),
    (
        "FAILED_PRECONDITION EMBEDDING_MODEL_MISMATCH",
        lambda s: embedding(s, lambda e: setattr(e, "recogniser_id", "another")),
    ),
    ("INVALID_ARGUMENT EMBEDDING_INVALID", lambda s: embedding(s, lambda e: e.values.append(1))),
    (
        "INVALID_ARGUMENT EMBEDDING_INVALID",
        lambda s: embedding(s, lambda e: e.values.__setitem__(0, float("nan"))),
    ),
]


def faces(subject: Subject, call: Call, **timeout: float) -> tuple[str, int]:
    identity = subject.identity(call)
    method, request = (
        ("DetectFaces", message("DetectFacesRequest", photo=subject.photo)),
        ("EmbedFace", message("EmbedFaceRequest", identity=identity)),
        (
            "CompareFaces",
            message(
                "CompareFacesRequest", first=identity, second=message("IdentitySource", photo=subject.photo)
            ),
        ),
    )[call.which % 3]
    with subject.channel() as gateway:
        try:
            gateway.unary(method, request, **timeout)
        except grpc.RpcError as error:
            return status(error), 0
    return OK, 0


def faces_short_deadline(subject: Subject, call: Call) -> tuple[str, int]:
    return faces(subject, call, timeout=call.instant / 10)


def withheld(subject: Subject, call: Call) -> tuple[str, int]:
    """Takes a place, and never says what for."""
    over = threading.Event()

    def requests() -> Iterator[bytes]:
        over.wait()
        yield from ()

    with subject.channel() as gateway:
        try:
            answers = gateway.channel.stream_stream(f"/{SERVICE}/Generate")(requests(), timeout=60)
            return f"OK, but {list(answers)}", 0
        except grpc.RpcError as error:
            return status(error), 0
        finally:
            over.set()


def no_http(subject: Subject, call: Call) -> tuple[str, int]:
    """A connection on which nothing makes sense, or nothing comes, and which ends without a word."""
    host, port = subject.target.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        if call.which % 3:
            with suppress(OSError):  # the gateway need not listen to the end
                connection.sendall(call.seed.to_bytes(4, "little") * (call.which % 1000))
        time.sleep(call.instant / 4)
        if call.which % 2:
            reset(connection)
    return OK, 0


# Little is under way to a reader that is slow.
SMALL_WINDOW = {"http2.lookahead_bytes": 16384, "http2.bdp_probe": 0}

DEEDS: Mapping[str, Callable[[Subject, Call], tuple[str, int]]] = {
    "whole": whole,
    "cancelled": cancelled,
    "connection cut": cut,
    "channel closed": closed,
    "slow reader": slow,
    "stopped reader": stopped,
    "short deadline": short_deadline,
    "cancelled by name": cancelled_by_name,
    "finished and resumed": resumed,
    "invalid": invalid,
    "faces": faces,
    "faces, short deadline": faces_short_deadline,
    "request withheld": withheld,
    "no HTTP/2": no_http,
}
