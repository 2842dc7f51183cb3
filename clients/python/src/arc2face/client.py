"""The synchronous client."""

import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc

from arc2face import v1
from arc2face.calls import Calls
from arc2face.connection import RETRIES, TIMEOUT_SECONDS, Connection, Retries, Tls
from arc2face.course import Course, ended_early
from arc2face.errors import Arc2FaceError, explain
from arc2face.identity import Identity, message_of
from arc2face.photo import PhotoLike, encoded
from arc2face.progress import Progress
from arc2face.request import GenerateOptions, Unpack, generate_request
from arc2face.values import (
    Comparison,
    Detection,
    EmbeddedFace,
    Event,
    ModelInfo,
    Portrait,
    Value,
    read,
)

V = TypeVar("V", bound=Value[Any])


class Generation(Iterator[Event]):
    """The events of a generation, as they come. It has begun when this is made.

    Closing it, or leaving its `with` block, ends the generation before its next step, unless it was asked for with
    `on_disconnect="finish"`; `cancel` ends it in any case. A broken connection is made anew, and the events go on after
    the last one that came (`Retries`).
    """

    def __init__(self, calls: Calls, connection: Connection, course: Course) -> None:
        self._calls = calls
        self._connection = connection
        self._course = course
        self._closed = threading.Event()
        self._begin()

    @property
    def request_id(self) -> str:
        """The name of the generation: with `sequence` another process can go on with it."""
        return self._course.request_id

    @property
    def sequence(self) -> int:
        """The number of the last event; `after_sequence` of a request that goes on after it."""
        return self._course.sequence

    def __next__(self) -> Event:
        while not self._closed.is_set():
            try:
                response = next(self._call, None)
            except grpc.RpcError as error:
                failure = explain(error)
            else:
                if response is not None:
                    return self._course.hear(response)
                failure = ended_early()
            if self._course.is_complete or self._closed.is_set():
                break
            self._go_on_after(failure)
        self._closed.set()
        raise StopIteration

    def close(self) -> None:
        """Leaves the generation; whoever waits for its next event gets none. Any thread may do it."""
        self._closed.set()
        self._call.cancel()

    def cancel(self) -> bool:
        """Ends the generation, and its result is forgotten. Whether the server that answers had it."""
        self.close()
        return _cancel(self._calls, self._connection, self.request_id)

    def __enter__(self) -> "Generation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        course = self._course
        self._call = self._calls.generate(
            course.next_request(), timeout=course.seconds_left(), metadata=self._connection.metadata()
        )
        if self._closed.is_set():  # while the call was being made
            self._call.cancel()

    def _go_on_after(self, failure: Arc2FaceError) -> None:
        try:
            pause = self._course.pause_after(failure)
        except Exception:
            self._closed.set()
            raise
        if not self._closed.wait(pause):
            self._begin()


class Client:
    """Calls an Arc2Face server, by way of one channel and from any number of threads.

        with arc2face.Client("127.0.0.1:9090") as client:
            for portrait in client.portraits("face.jpg", num_images=4, seed=1):
                portrait.save(f"{portrait.seed}.png")

    Every call raises an `Arc2FaceError`; its class says why (`arc2face.errors`).
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        tls: Tls | bool | None = None,
        api_key: str | None = None,
        token: str | Callable[[], str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries = RETRIES,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        """
        target: host:port, or what else gRPC resolves, such as dns:///gateway:9090.
        tls: True for gRPC's own roots, or a `Tls`; None is no encryption, unless $ARC2FACE_TLS_CA names roots.
        api_key, token: who calls, one of them; a token may be a function that is asked before each call.
        timeout: seconds that a call may take in all; the server refuses a generation that cannot end in time.
        options: options of the gRPC channel.

        What is not given is taken from $ARC2FACE_TARGET, $ARC2FACE_API_KEY and $ARC2FACE_TOKEN.
        """
        self._connection = Connection.of(target, tls, api_key, token, timeout, retries, options)
        self._channel = open_channel(self._connection)
        self._calls = Calls(self._channel)

    def generate(
        self, identity: Identity, *, timeout: float | None = None, **options: Unpack[GenerateOptions]
    ) -> Generation:
        """Begins a generation; see `GenerateOptions` for what can be asked for."""
        request = generate_request(identity, options)
        course = Course(request, self._connection.retries, self._seconds(timeout))
        return Generation(self._calls, self._connection, course)

    def portraits(
        self,
        identity: Identity,
        *,
        progress: bool | None = None,
        timeout: float | None = None,
        **options: Unpack[GenerateOptions],
    ) -> list[Portrait]:
        """Generates, and returns the portraits in order.

        progress: a bar by tqdm, and in a notebook the previews, too; None where it is installed and somebody looks on.
        """
        portraits = []
        with Progress(progress) as shown:
            shown.choose_previews(options)
            with self.generate(identity, timeout=timeout, **options) as events:
                for event in events:
                    shown.show(event)
                    if isinstance(event, Portrait):
                        portraits.append(event)
        return sorted(portraits, key=lambda portrait: portrait.image_index)

    def detect(self, photo: PhotoLike, *, timeout: float | None = None) -> Detection:
        """Finds the faces in a photo; none is an empty tuple, not an error."""
        request = v1.DetectFacesRequest(photo=encoded(photo))
        return self._call(self._calls.detect_faces, request, Detection, timeout)

    def embed(self, identity: Identity, *, timeout: float | None = None) -> EmbeddedFace:
        """Computes the identity embedding of a face."""
        request = v1.EmbedFaceRequest(identity=message_of(identity))
        return self._call(self._calls.embed_face, request, EmbeddedFace, timeout)

    def compare(self, first: Identity, second: Identity, *, timeout: float | None = None) -> Comparison:
        """Compares two identities by the cosine of their embeddings."""
        request = v1.CompareFacesRequest(first=message_of(first), second=message_of(second))
        return self._call(self._calls.compare_faces, request, Comparison, timeout)

    def info(self, *, timeout: float | None = None) -> ModelInfo:
        """Tells what is served."""
        return self._call(self._calls.get_model_info, v1.GetModelInfoRequest(), ModelInfo, timeout)

    def cancel(self, request_id: str) -> bool:
        """Ends a generation of this caller's by its request id. Whether the server that answers had it."""
        return _cancel(self._calls, self._connection, request_id)

    def close(self) -> None:
        """Ends all calls and closes the connection."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Any, request: Any, kind: type[V], timeout: float | None) -> V:
        return read(kind, _unary(method, request, self._connection, self._seconds(timeout)))

    def _seconds(self, timeout: float | None) -> float:
        return self._connection.timeout if timeout is None else timeout


def open_channel(connection: Connection) -> grpc.Channel:
    """A channel to the connection's server; it connects at the first call."""
    options = connection.channel_options()
    if connection.tls is None:
        return grpc.insecure_channel(connection.target, options)
    return grpc.secure_channel(connection.target, connection.tls.credentials(), options)


def _cancel(calls: Calls, connection: Connection, request_id: str) -> bool:
    request = v1.CancelGenerationRequest(request_id=request_id)
    return bool(_unary(calls.cancel_generation, request, connection, connection.timeout).cancelled)


def _unary(method: Any, request: Any, connection: Connection, seconds: float) -> Any:
    try:
        return method(request, timeout=seconds, metadata=connection.metadata())
    except grpc.RpcError as error:
        raise explain(error) from error
