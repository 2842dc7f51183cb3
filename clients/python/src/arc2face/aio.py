"""The asyncio client: the same as the synchronous one, awaited."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio

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


class AsyncGeneration(AsyncIterator[Event]):
    """The events of a generation, as they come: `arc2face.Generation`, for `async for` and `async with`."""

    def __init__(self, calls: Calls, connection: Connection, course: Course) -> None:
        self._calls = calls
        self._connection = connection
        self._course = course
        self._is_closed = False
        self._begin()

    @property
    def request_id(self) -> str:
        """The name of the generation: with `sequence` another process can go on with it."""
        return self._course.request_id

    @property
    def sequence(self) -> int:
        """The number of the last event; `after_sequence` of a request that goes on after it."""
        return self._course.sequence

    async def __anext__(self) -> Event:
        while not self._is_closed:
            try:
                response = await self._call.read()
            except grpc.RpcError as error:
                failure = explain(error)
            except asyncio.CancelledError:
                if self._is_closed:  # and not the task cancelled
                    break
                self._is_closed = True  # gRPC has cancelled the call
                raise
            else:
                if response is not grpc.aio.EOF:
                    return self._course.hear(response)
                failure = ended_early()
            if self._course.is_complete or self._is_closed:
                break
            await self._go_on_after(failure)
        self._is_closed = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Leaves the generation; whoever waits for its next event gets none."""
        self._is_closed = True
        self._call.cancel()

    async def cancel(self) -> bool:
        """Ends the generation, and its result is forgotten. Whether the server that answers had it."""
        await self.aclose()
        return await _cancel(self._calls, self._connection, self.request_id)

    async def __aenter__(self) -> "AsyncGeneration":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _begin(self) -> None:
        course = self._course
        self._call = self._calls.generate(
            course.next_request(), timeout=course.seconds_left(), metadata=self._connection.metadata()
        )

    async def _go_on_after(self, failure: Arc2FaceError) -> None:
        try:
            await asyncio.sleep(self._course.pause_after(failure))
        except (Exception, asyncio.CancelledError):
            self._is_closed = True
            raise
        if not self._is_closed:
            self._begin()


class AsyncClient:
    """`arc2face.Client`, awaited. It is made and used in one event loop.

    async with arc2face.AsyncClient("127.0.0.1:9090") as client:
        async for event in client.generate("face.jpg"):
            ...
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
        """The arguments are those of `arc2face.Client`."""
        self._connection = Connection.of(target, tls, api_key, token, timeout, retries, options)
        self._channel = open_channel(self._connection)
        self._calls = Calls(self._channel)

    def generate(
        self, identity: Identity, *, timeout: float | None = None, **options: Unpack[GenerateOptions]
    ) -> AsyncGeneration:
        """Begins a generation; see `GenerateOptions` for what can be asked for."""
        request = generate_request(identity, options)
        course = Course(request, self._connection.retries, self._seconds(timeout))
        return AsyncGeneration(self._calls, self._connection, course)

    async def portraits(
        self,
        identity: Identity,
        *,
        progress: bool | None = None,
        timeout: float | None = None,
        **options: Unpack[GenerateOptions],
    ) -> list[Portrait]:
        """Generates, and returns the portraits in order; `progress` as in `arc2face.Client.portraits`."""
        portraits = []
        with Progress(progress) as shown:
            shown.choose_previews(options)
            async with self.generate(identity, timeout=timeout, **options) as events:
                async for event in events:
                    shown.show(event)
                    if isinstance(event, Portrait):
                        portraits.append(event)
        return sorted(portraits, key=lambda portrait: portrait.image_index)

    async def detect(self, photo: PhotoLike, *, timeout: float | None = None) -> Detection:
        """Finds the faces in a photo; none is an empty tuple, not an error."""
        request = v1.DetectFacesRequest(photo=encoded(photo))
        return await self._call(self._calls.detect_faces, request, Detection, timeout)

    async def embed(self, identity: Identity, *, timeout: float | None = None) -> EmbeddedFace:
        """Computes the identity embedding of a face."""
        request = v1.EmbedFaceRequest(identity=message_of(identity))
        return await self._call(self._calls.embed_face, request, EmbeddedFace, timeout)

    async def compare(self, first: Identity, second: Identity, *, timeout: float | None = None) -> Comparison:
        """Compares two identities by the cosine of their embeddings."""
        request = v1.CompareFacesRequest(first=message_of(first), second=message_of(second))
        return await self._call(self._calls.compare_faces, request, Comparison, timeout)

    async def info(self, *, timeout: float | None = None) -> ModelInfo:
        """Tells what is served."""
        return await self._call(self._calls.get_model_info, v1.GetModelInfoRequest(), ModelInfo, timeout)

    async def cancel(self, request_id: str) -> bool:
        """Ends a generation of this caller's by its request id. Whether the server that answers had it."""
        return await _cancel(self._calls, self._connection, request_id)

    async def close(self) -> None:
        """Ends all calls and closes the connection."""
        await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: Any, request: Any, kind: type[V], timeout: float | None) -> V:
        return read(kind, await _unary(method, request, self._connection, self._seconds(timeout)))

    def _seconds(self, timeout: float | None) -> float:
        return self._connection.timeout if timeout is None else timeout


def open_channel(connection: Connection) -> grpc.aio.Channel:
    """A channel to the connection's server; it connects at the first call."""
    options = connection.channel_options()
    if connection.tls is None:
        return grpc.aio.insecure_channel(connection.target, options)
    return grpc.aio.secure_channel(connection.target, connection.tls.credentials(), options)


async def _cancel(calls: Calls, connection: Connection, request_id: str) -> bool:
    request = v1.CancelGenerationRequest(request_id=request_id)
    return bool((await _unary(calls.cancel_generation, request, connection, connection.timeout)).cancelled)


async def _unary(method: Any, request: Any, connection: Connection, seconds: float) -> Any:
    try:
        return await method(request, timeout=seconds, metadata=connection.metadata())
    except grpc.RpcError as error:
        raise explain(error) from error
