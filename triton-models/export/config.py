"""Writes a model's config.pbtxt: the part of the model contract that Triton itself reads and publishes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tensor:
    """An input or output: `dims` without the batch axis, `data_type` as Triton calls it (FP32, UINT8)."""

    name: str
    data_type: str
    dims: tuple[int, ...]


def write_config(
    folder: Path,
    name: str,
    max_batch: int,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    parameters: Mapping[str, str],
) -> Path:
    """Writes config.pbtxt beside the finished 1/model.onnx, whose hash it adds as `model_sha256`."""
    model = (folder / "1" / "model.onnx").read_bytes()
    parameters = {**parameters, "model_sha256": hashlib.sha256(model).hexdigest()}
    blocks = [
        f"name: {_quote(name)}",
        'backend: "onnxruntime"',
        f"max_batch_size: {max_batch}",
        *(f"input {_tensor(tensor)}" for tensor in inputs),
        *(f"output {_tensor(tensor)}" for tensor in outputs),
        "dynamic_batching {}",
        "instance_group { kind: KIND_CPU count: 1 }",
        *(_parameter(key, value) for key, value in sorted(parameters.items())),
    ]
    path = folder / "config.pbtxt"
    path.write_text("\n".join(blocks) + "\n", encoding="ascii")
    return path


def _tensor(tensor: Tensor) -> str:
    dims = ", ".join(str(size) for size in tensor.dims)
    return f"{{ name: {_quote(tensor.name)} data_type: TYPE_{tensor.data_type} dims: [{dims}] }}"


def _parameter(key: str, value: str) -> str:
    return f"parameters {{ key: {_quote(key)} value {{ string_value: {_quote(value)} }} }}"


def _quote(text: str) -> str:
    """A text-format string literal: ASCII only, every other byte of the UTF-8 as an octal escape."""
    return '"' + "".join(_escape(byte) for byte in text.encode()) + '"'


def _escape(byte: int) -> str:
    named = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n"}
    return named.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
