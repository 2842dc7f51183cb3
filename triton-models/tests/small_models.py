"""Small ONNX models for tests of the backend and the launcher, each with its configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.config import Tensor, write_config

MAX_BATCH = 16
ONNX_TYPES = {"FP32": TensorProto.FLOAT, "FP16": TensorProto.FLOAT16, "INT64": TensorProto.INT64}


@dataclass(frozen=True)
class SmallModel:
    """A graph of a few nodes; `save` makes a model of a repository out of it."""

    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    nodes: Sequence[onnx.NodeProto]
    constants: Sequence[onnx.TensorProto] = ()

    def save(self, repository: Path, name: str, external_data: bool = False) -> None:
        """`external_data` puts the constants into a file of their own, as a graph above 2 GB has to."""
        graph = helper.make_graph(
            self.nodes,
            name,
            [in_graph(tensor) for tensor in self.inputs],
            [in_graph(tensor) for tensor in self.outputs],
            list(self.constants),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        version = repository / name / "1"
        version.mkdir(parents=True)
        onnx.save_model(
            model,
            version / "model.onnx",
            save_as_external_data=external_data,
            location="model.onnx.data",
            size_threshold=0,
        )
        write_config(repository / name, name, MAX_BATCH, self.inputs, self.outputs, {})


def in_graph(tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, ONNX_TYPES[tensor.data_type], ["B", *tensor.dims])


# Two inputs of different sizes, as latents and timestep are, and two outputs.
MIX = SmallModel(
    inputs=[Tensor("latents", "FP32", (4, 8, 8)), Tensor("timestep", "FP32", (1,))],
    outputs=[Tensor("scaled", "FP32", (4, 8, 8)), Tensor("negated", "FP32", (4, 8, 8))],
    nodes=[
        helper.make_node("Reshape", ["timestep", "shape"], ["factor"]),  # [B,1,1,1]
        helper.make_node("Mul", ["latents", "factor"], ["scaled"]),
        helper.make_node("Neg", ["latents"], ["negated"]),
    ],
    constants=[helper.make_tensor("shape", TensorProto.INT64, [4], [-1, 1, 1, 1])],
)

# FP16 in and out, as the real profile's tensors may be.
HALF = SmallModel(
    inputs=[Tensor("x", "FP16", (6,))],
    outputs=[Tensor("y", "FP16", (6,))],
    nodes=[helper.make_node("Add", ["x", "x"], ["y"])],
)

# Fails while it runs where an index is not in the table, which no check before the run can know.
LOOKUP = SmallModel(
    inputs=[Tensor("index", "INT64", (1,))],
    outputs=[Tensor("value", "FP32", (1,))],
    nodes=[helper.make_node("Gather", ["table", "index"], ["value"], axis=0)],
    constants=[helper.make_tensor("table", TensorProto.FLOAT, [3], np.array([10, 20, 30], np.float32))],
)

# Its table is the constant that a graph with external data keeps in a file of its own.
TABLE = SmallModel(
    inputs=[Tensor("x", "FP32", (64,))],
    outputs=[Tensor("y", "FP32", (64,))],
    nodes=[helper.make_node("Add", ["x", "table"], ["y"])],
    constants=[numpy_helper.from_array(np.arange(64, dtype=np.float32), "table")],
)

# An operator that TensorRT does not know.
COMPRESS = SmallModel(
    inputs=[Tensor("x", "FP32", (6,))],
    outputs=[Tensor("y", "FP32", (3,))],
    nodes=[helper.make_node("Compress", ["x", "kept"], ["y"], axis=1)],
    constants=[helper.make_tensor("kept", TensorProto.BOOL, [6], [1, 0] * 3)],
)
