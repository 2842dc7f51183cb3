"""A server of a few lines that says what a real gateway says only at a bad moment, or in a later version."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as Detail
from google.rpc import error_details_pb2, status_pb2

from arc2face import v1

SERVICE = v1.DESCRIPTOR.services_by_name["PortraitService"]
Answer = Callable[[grpc.ServicerContext], Iterable[Any]]


class Peculiar(grpc.GenericRpcHandler):
    """Answers each call with the next of its answers, and keeps what it was asked."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self._answers = iter(answers)

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        method = SERVICE.methods_by_name[details.method.rpartition("/")[2]]
        request = getattr(v1, method.input_type.name).FromString
        response = getattr(v1, method.output_type.name).SerializeToString
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(self._stream, request, response)
        return grpc.unary_unary_rpc_method_handler(self._single, request, response)

    def _single(self, request: Any, context: grpc.ServicerContext) -> Any:
        (only,) = self._stream(request, context)
        return only

    def _stream(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        yield from next(self._answers)(context)


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[str, Peculiar]]:
    """Its address, and itself."""
    peculiar = Peculiar(answers)
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, handlers=[peculiar])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}", peculiar
        finally:
            server.stop(None).wait()


def events(*said: Any) -> Answer:
    """These messages, and a regular end."""
    return lambda _: said


def broken(code: grpc.StatusCode, *said: v1.GenerateResponse, details: Sequence[Any] = ()) -> Answer:
    """These events, and then an error with these details."""

    def answer(context: grpc.ServicerContext) -> Iterator[v1.GenerateResponse]:
        yield from said
        context.set_trailing_metadata([("grpc-status-details-bin", status_bytes(code, details))])
        context.abort(code, "so it is")

    return answer


def reason(name: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    """The detail that every error of the gateway has."""
    return error_details_pb2.ErrorInfo(domain="arc2face.dev", reason=name, metadata=metadata)


def retry(seconds: float) -> error_details_pb2.RetryInfo:
    """The detail that says when to try again."""
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromNanoseconds(round(seconds * 1e9))
    return info


def status_bytes(code: grpc.StatusCode, details: Sequence[Any]) -> bytes:
    """How details travel: the value of grpc-status-details-bin."""
    status = status_pb2.Status(code=code.value[0], message="so it is")
    for each in details:
        detail = Detail()
        detail.Pack(each)
        status.details.append(detail)
    return status.SerializeToString()
