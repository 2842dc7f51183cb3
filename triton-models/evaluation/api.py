"""The gateway's public API in Python, message by message, for tests and measurements: they break calls off, send what
is wrong, and time what comes. Programs have clients/python. Messages are made from proto/ when they are first needed.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "arc2face.v1.PortraitService"
FIRST_ANSWER_SECONDS = 120  # a unary call that takes longer has hung
GENERATION_SECONDS = 600

# google.rpc.ErrorInfo as it is on the wire: its reason, then the domain of ours.
_REASON = re.compile(rb"\x0a.([A-Z_]+)\x12\x0carc2face\.dev", re.DOTALL)


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    """The descriptors of proto/ and of what it imports, compiled by buf; no generated code lies about."""
    if not (ROOT / ".cache" / "proto-deps").is_dir():
        raise FileNotFoundError(f"no {ROOT}/.cache/proto-deps: run `make .cache/proto-deps`")
    buf = Path(sys.executable).with_name("buf")
    image = subprocess.run([buf, "build", "-o", "-"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:  # imports come first
        pool.Add(file)
    return pool


def message(name: str, **fields: Any) -> Any:
    """A message of arc2face.v1 with these fields."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"arc2face.v1.{name}"))(**fields)


def nobody(info: Any, number: int = 0) -> Any:
    """The identity of nobody in particular, a different one for each number, for what GetModelInfo said in `info`."""
    values = [0.0] * info.embedding_size
    values[number % len(values)] = 1.0
    embedding = message("Embedding", values=values, recogniser_id=info.recogniser_id)
    return message("IdentitySource", embedding=embedding)


def status(error: grpc.RpcError) -> str:
    """Code and reason, such as "RESOURCE_EXHAUSTED QUEUE_FULL"; the code alone where it is not from the gateway."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    found = _REASON.search(details)
    return f"{error.code().name} {found[1].decode()}" if found else error.code().name


class Gateway:
    """A context manager: calls by method name, with and for messages. What a call returns or raises is grpc's own."""

    def __init__(self, target: str, options: Sequence[tuple[str, Any]] = ()) -> None:
        """`options` are those of a grpc channel."""
        self.channel = grpc.insecure_channel(target, options)

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def unary(self, method: str, request: Any, timeout: float = FIRST_ANSWER_SECONDS) -> Any:
        """Calls a method with one answer."""
        answer = type(message(f"{method}Response"))
        call = self.channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return call(request, timeout=timeout)

    def generate(
        self,
        request: Any,
        timeout: float = GENERATION_SECONDS,
        metadata: Sequence[tuple[str, str | bytes]] = (),
    ) -> Any:
        """The events of a generation: an iterator, which can be cancelled."""
        event = type(message("GenerateResponse"))
        call = self.channel.unary_stream(
            f"/{SERVICE}/Generate",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=event.FromString,
        )
        return call(request, timeout=timeout, metadata=metadata)
