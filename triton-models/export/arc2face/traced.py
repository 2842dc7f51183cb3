"""Writes a torch network as a model of the contract, and holds the written graph against the network."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
import torch
from onnx.external_data_helper import ExternalDataInfo, set_external_data
from torch import Tensor as Array
from torch import nn

from export.arc2face.precision import halve, leave_convolutions
from export.config import Tensor
from export.trace import load, trace

Precision = Literal["fp32", "fp16"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16")
DATA_TYPES: dict[Precision, str] = {"fp32": "FP32", "fp16": "FP16"}
NUMPY_TYPES = {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8}

ALIGNMENT = 4096  # of each weight in that file, so that it can be mapped into memory

# What is promised of a graph on the CPU, against its network in FP32.
MAX_ERROR = 1e-4  # max|a-b| / max|b|
MAX_LEVELS = 1  # of 255: where a pixel may round the other way
MIN_PSNR = 35.0  # dB, of FP16


class WrongGraphError(Exception):
    """The written graph does not compute what its network computes."""


@dataclass(frozen=True)
class Check:
    """How far one output of the written graph is from its network's, and from itself in batches of one row."""

    output: str
    error: float  # max|a-b| / max|b|
    psnr: float  # dB; the peak is the range of the network's output
    alone: float  # max|a-b| / max|b| of the rows in one batch against each row alone

    def __str__(self) -> str:
        alone = "identical" if self.alone == 0 else f"{self.alone:.1e}"
        return f"{self.output}: error {self.error:.1e}, {self.psnr:.1f} dB, rows alone {alone}"


def export(
    folder: Path,
    network: nn.Module,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    examples: Sequence[Array],
    precision: Precision,
) -> list[Check]:
    """Writes folder/1/model.onnx for a network that takes and gives these tensors, and frees the network's memory.

    `examples` are FP32, several rows that differ; the graph is checked on them.
    """
    network.eval()
    with torch.inference_mode():
        expected = network(*examples)
        expected = [array.numpy() for array in (expected if isinstance(expected, tuple) else (expected,))]
        if precision == "fp16":
            halve(network)
            leave_convolutions(network)
        feed = {
            tensor.name: array.numpy().astype(NUMPY_TYPES[tensor.data_type])
            for tensor, array in zip(inputs, examples, strict=True)
        }
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            traced = Path(scratch) / "model.onnx"
            few = [torch.from_numpy(array[:2]) for array in feed.values()]
            trace(
                traced, network, few, [tensor.name for tensor in inputs], [tensor.name for tensor in outputs]
            )
            network.to("meta")
            path = write(traced, folder)
    checks = _check(path, feed, outputs, expected)
    judge(path, checks, [tensor.data_type for tensor in outputs], precision)
    return checks


def write(traced: Path, folder: Path) -> Path:
    """The traced graph as folder/1/model.onnx, beside it its weights where they are beyond 2 GiB."""
    path = folder / "1" / "model.onnx"
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    model = load(traced, folder.name)
    if any(weight.data_location == onnx.TensorProto.EXTERNAL for weight in model.graph.initializer):
        _gather(model.graph, traced.parent, path.with_name("model.onnx.data"))
    path.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(path, full_check=True)
    return path


def _gather(graph: onnx.GraphProto, folder: Path, data: Path) -> None:
    """Copies the weights, each in a file of its own in `folder`, one after the other into one file."""
    with data.open("wb") as file:
        for weight in graph.initializer:
            if weight.data_location != onnx.TensorProto.EXTERNAL:
                continue
            location = ExternalDataInfo(weight).location
            file.write(b"\0" * (-file.tell() % ALIGNMENT))
            offset = file.tell()
            with (folder / location).open("rb") as source:
                shutil.copyfileobj(source, file, 1 << 24)
            (folder / location).unlink()
            weight.raw_data = b""
            set_external_data(weight, data.name, offset, file.tell() - offset)
            weight.ClearField("raw_data")


def _check(
    path: Path, feed: Mapping[str, np.ndarray], outputs: Sequence[Tensor], expected: Sequence[np.ndarray]
) -> list[Check]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in outputs]
    together = session.run(names, dict(feed))
    count = len(next(iter(feed.values())))
    rows = [session.run(names, {name: x[row : row + 1] for name, x in feed.items()}) for row in range(count)]
    alone = [np.concatenate(arrays) for arrays in zip(*rows, strict=True)]
    return [
        Check(name, _error(ours, theirs), _psnr(ours, theirs), _error(ours, single))
        for name, ours, theirs, single in zip(names, together, expected, alone, strict=True)
    ]


def judge(path: Path, checks: Sequence[Check], data_types: Sequence[str], precision: Precision) -> None:
    """Raises unless the graph computes what its network computes."""
    for check, data_type in zip(checks, data_types, strict=True):
        limit = MAX_LEVELS / 255 if data_type == "UINT8" else MAX_ERROR
        good = check.psnr >= MIN_PSNR if precision == "fp16" else max(check.error, check.alone) <= limit
        if not good:
            raise WrongGraphError(f"{path} does not compute what its network computes: {check}")


def _error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """max|a-b| / max|b|"""
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _psnr(ours: np.ndarray, theirs: np.ndarray) -> float:
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    error = float(np.sqrt(np.mean((ours - theirs) ** 2)))
    return float("inf") if error == 0 else float(20 * np.log10(np.ptp(theirs) / error))
