"""Writes a model's config.pbtxt: the part of the model contract that Triton itself reads and publishes.

A configuration has one field a line. The lines about names, tensors and parameters are the contract's; the lines
about who computes it are one engine's, and `serve_with` exchanges them:

| engine | backend | where |
|---|---|---|
| `cpu` | `onnxruntime`, 1/model.onnx | on the CPU |
| `onnxruntime` | `onnxruntime`, 1/model.onnx | on a GPU if there is one, else on the CPU |
| `tensorrt` | `tensorrt`, 1/model.plan | on a GPU |
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.hashing import sha256

CONTRACT_FIELDS = ("name", "max_batch_size", "input", "output", "parameters")

# No engine prefers batch sizes: without them Triton joins all rows that wait, up to max_batch_size. A preferred size
# of 8 would cut 10 waiting rows into runs of 8 and 2.
BATCHING = "dynamic_batching {}"

# HEURISTIC: an exhaustive search would be repeated for every convolution at each new batch size, in the middle of
# the service. TF32 has 10 bits of mantissa: FP32 would be no FP32.
CUDA = (
    'optimization { execution_accelerators { gpu_execution_accelerator { name: "cuda"'
    ' parameters { key: "cudnn_conv_algo_search" value: "HEURISTIC" }'
    ' parameters { key: "use_tf32" value: "0" } } } }'
)


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
    """Writes config.pbtxt beside the finished 1/model.onnx, whose hash it adds as `model_sha256`, for the CPU."""
    parameters = {**parameters, "model_sha256": model_sha256(folder / "1" / "model.onnx")}
    lines = config_lines(name, max_batch, inputs, outputs, parameters)
    return _write(folder, lines, *_on_onnxruntime("KIND_CPU"))


def config_lines(
    name: str,
    max_batch: int,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    parameters: Mapping[str, str],
) -> list[str]:
    """The contract's part of a configuration."""
    return [
        f"name: {_quote(name)}",
        f"max_batch_size: {max_batch}",
        *(f"input {_tensor(tensor)}" for tensor in inputs),
        *(f"output {_tensor(tensor)}" for tensor in outputs),
        *(_parameter(key, value) for key, value in sorted(parameters.items())),
    ]


def write_config_like(
    other: Path, folder: Path, max_batch: int, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
) -> Path:
    """Writes config.pbtxt beside the finished 1/model.onnx: that of the model `other`, for these tensors."""
    lines = (other / "config.pbtxt").read_text(encoding="ascii").splitlines()
    fields = {line: line.split(" ")[0].rstrip(":") for line in lines}
    hashed = _parameter("model_sha256", model_sha256(folder / "1" / "model.onnx"))
    kept = [line for line in lines if fields[line] == "parameters" and '"model_sha256"' not in line]
    (backend,) = (line for line in lines if fields[line] == "backend")
    scheduling = [line for line in lines if fields[line] not in (*CONTRACT_FIELDS, "backend")]
    contract = config_lines(folder.name, max_batch, inputs, outputs, {})
    return _write(folder, [*contract, *sorted([*kept, hashed])], backend, scheduling)


def serve_with(folder: Path, engine: str, cuda_graphs: Iterable[int] = ()) -> Path:
    """Rewrites the model's config.pbtxt for another engine.

    `cuda_graphs`: the batch sizes at which TensorRT replays a recorded graph of all kernels instead of launching
    each; every other size runs without.
    """
    engines = {
        "cpu": lambda: _on_onnxruntime("KIND_CPU"),
        "onnxruntime": lambda: _on_onnxruntime("KIND_AUTO", CUDA),
        "tensorrt": lambda: _on_tensorrt(cuda_graphs),
    }
    lines = (folder / "config.pbtxt").read_text(encoding="ascii").splitlines()
    contract = [line for line in lines if line.split(" ")[0].rstrip(":") in CONTRACT_FIELDS]
    return _write(folder, contract, *engines[engine]())


def max_batch_size(folder: Path) -> int:
    """The most rows that Triton lets anybody send to this model at once."""
    lines = (folder / "config.pbtxt").read_text(encoding="ascii").splitlines()
    (size,) = (line.split()[1] for line in lines if line.startswith("max_batch_size:"))
    return int(size)


def model_sha256(graph: Path) -> str:
    """Over the graph and its external data, `model.onnx.*` beside it, in the order of their names."""
    return sha256(graph, *sorted(graph.parent.glob(f"{graph.name}.*")))


def _on_onnxruntime(kind: str, *optimization: str) -> tuple[str, list[str]]:
    """The line of the backend, and those of the scheduling."""
    return 'backend: "onnxruntime"', [
        BATCHING,
        f"instance_group {{ kind: {kind} count: 1 }}",
        *optimization,
    ]


def _on_tensorrt(cuda_graphs: Iterable[int]) -> tuple[str, list[str]]:
    specs = "".join(f" graph_spec {{ batch_size: {rows} }}" for rows in cuda_graphs)
    graphs = [f"optimization {{ cuda {{ graphs: true{specs} }} }}"] if specs else []
    return 'backend: "tensorrt"', [BATCHING, "instance_group { kind: KIND_GPU count: 1 }", *graphs]


def _write(folder: Path, contract: Sequence[str], backend: str, scheduling: Sequence[str]) -> Path:
    name, *tensors = [line for line in contract if not line.startswith("parameters ")]
    parameters = [line for line in contract if line.startswith("parameters ")]
    path = folder / "config.pbtxt"
    path.write_text("\n".join([name, backend, *tensors, *scheduling, *parameters, ""]), encoding="ascii")
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
