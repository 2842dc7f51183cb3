"""proto/inference/inference.proto says the same on the wire as the protocol that Triton's own client speaks."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from tritonclient.grpc import model_config_pb2, service_pb2

PROTO = Path(__file__).resolve().parents[2] / "proto" / "inference"
BUF = Path(sys.executable).with_name("buf")

Field = tuple[str, int, int, str]  # name, label, type, name of the message or enum
Messages = dict[str, dict[int, Field]]  # by full name, then by field number


@pytest.fixture(scope="module")
def ours() -> FileDescriptorProto:
    """Compiled alone: it imports nothing, and the repository's other module need not be there."""
    command = [BUF, "build", "--config", '{"version": "v2"}', "--as-file-descriptor-set", "--output", "-"]
    compiled = subprocess.run(command, cwd=PROTO, check=True, capture_output=True).stdout
    (file,) = FileDescriptorSet.FromString(compiled).file
    return file


@pytest.fixture(scope="module")
def theirs() -> list[FileDescriptorProto]:
    return [
        FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        for module in (service_pb2, model_config_pb2)
    ]


def test_every_field_is_the_protocols(ours: FileDescriptorProto, theirs: list[FileDescriptorProto]) -> None:
    protocol = {name: fields for file in theirs for name, fields in messages(file).items()}
    for name, fields in messages(ours).items():
        assert name in protocol
        assert fields == {number: protocol[name].get(number) for number in fields}, name


def test_every_method_is_the_protocols(ours: FileDescriptorProto, theirs: list[FileDescriptorProto]) -> None:
    assert ours.package == "inference"
    (service,) = ours.service
    methods = {method.name: method for file in theirs for each in file.service for method in each.method}
    assert service.name == "GRPCInferenceService"
    for method in service.method:
        protocol = methods[method.name]
        assert (method.input_type, method.output_type) == (protocol.input_type, protocol.output_type)
        assert (method.client_streaming, method.server_streaming) == (False, False)
        assert (protocol.client_streaming, protocol.server_streaming) == (False, False)


def messages(file: FileDescriptorProto) -> Messages:
    """All messages of a file, nested ones and those that maps are made of among them."""
    return {
        name: {field.number: describe(field) for field in message.field}
        for top in file.message_type
        for name, message in walk(f".{file.package}", top)
    }


def walk(prefix: str, message: DescriptorProto) -> Iterator[tuple[str, DescriptorProto]]:
    name = f"{prefix}.{message.name}"
    yield name, message
    for nested in message.nested_type:
        yield from walk(name, nested)


def describe(field: FieldDescriptorProto) -> Field:
    return field.name, field.label, field.type, field.type_name
