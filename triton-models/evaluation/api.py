"""The gateway's public API in Python, its messages made from proto/ when they are first needed."""

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "arc2face.v1.PortraitService"
FIRST_ANSWER_SECONDS = 120  # a unary call that takes longer has hung
GENERATION_SECONDS = 600


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


class Gateway:
    """A context manager: calls by method name, with and for messages."""

    def __init__(self, target: str) -> None:
        self.channel = grpc.insecure_channel(target)

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def unary(self, method: str, request: Any) -> Any:
        """Calls a method with one answer."""
        answer = type(message(f"{method}Response"))
        call = self.channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return call(request, timeout=FIRST_ANSWER_SECONDS)

    def generate(self, request: Any) -> Iterator[Any]:
        """The events of a generation."""
        event = type(message("GenerateResponse"))
        call = self.channel.unary_stream(
            f"/{SERVICE}/Generate",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=event.FromString,
        )
        return call(request, timeout=GENERATION_SECONDS)
