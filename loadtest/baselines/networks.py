"""The networks of a model repository inside one process: by ONNX Runtime, or simulated."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import triton_to_np_dtype

Arrays = dict[str, np.ndarray]

VERSION = "1"


@dataclass(frozen=True)
class Tensor:
    """An input or output: its element type, and its sizes without the batch axis."""

    type: np.dtype
    dims: tuple[int, ...]


@dataclass(frozen=True)
class Config:
    """What a model's config.pbtxt says of it."""

    folder: Path
    backend: str
    max_rows: int
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    parameters: Mapping[str, str]


class Network(Protocol):
    """A model; `run` takes and gives [B,...] by name, 1 <= B <= config.max_rows."""

    config: Config

    def run(self, inputs: Arrays) -> Arrays: ...


class OnnxNetwork:
    """The model's graph in ONNX Runtime, with the session options of our Triton backend."""

    def __init__(self, config: Config, threads: int) -> None:
        self.config = config
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3
        self.session = ort.InferenceSession(
            str(config.folder / VERSION / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def run(self, inputs: Arrays) -> Arrays:
        names = list(self.config.outputs)
        return dict(zip(names, self.session.run(names, inputs), strict=True))


class SimulatedNetwork:
    """A model of the simulated repository: takes its time as that repository's model.py does, and gives the same.

    `gpu` is held meanwhile: all networks of a process have one GPU, which does one thing at a time.
    """

    def __init__(self, config: Config, gpu: threading.Lock) -> None:
        self.config = config
        self.gpu = gpu
        self.fixed = float(config.parameters["fixed_seconds"])
        self.per_row = float(config.parameters["seconds_per_row"])
        self.constants = {
            name: np.fromfile(config.folder / VERSION / f"{name}.bin", tensor.type).reshape(tensor.dims)
            for name, tensor in config.outputs.items()
            if name != "prediction"
        }

    def run(self, inputs: Arrays) -> Arrays:
        rows = len(next(iter(inputs.values())))
        with self.gpu:
            end = time.monotonic() + self.fixed + self.per_row * rows
            outputs = {name: np.broadcast_to(row, (rows, *row.shape)) for name, row in self.constants.items()}
            time.sleep(max(0.0, end - time.monotonic()))
        return outputs or {"prediction": inputs["latents"]}


def load(repository: Path, names: tuple[str, ...], threads: int) -> list[Network]:
    """The models of these names; `threads` are those of each ONNX Runtime session."""
    gpu = threading.Lock()
    return [_network(read_config(repository / name), threads, gpu) for name in names]


def _network(config: Config, threads: int, gpu: threading.Lock) -> Network:
    if config.backend == "onnxruntime":
        return OnnxNetwork(config, threads)
    if "fixed_seconds" in config.parameters:
        return SimulatedNetwork(config, gpu)
    raise ValueError(f"{config.folder}: neither an ONNX graph nor simulated (backend {config.backend!r})")


def read_config(folder: Path) -> Config:
    parsed = text_format.Parse((folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    inputs, outputs = (
        {tensor.name: Tensor(_type(tensor), tuple(tensor.dims)) for tensor in tensors}
        for tensors in (parsed.input, parsed.output)
    )
    parameters = {key: value.string_value for key, value in parsed.parameters.items()}
    return Config(folder, parsed.backend, parsed.max_batch_size, inputs, outputs, parameters)


def _type(tensor: Any) -> np.dtype:
    name = model_config_pb2.DataType.Name(tensor.data_type)
    return np.dtype(triton_to_np_dtype(name.removeprefix("TYPE_")))
