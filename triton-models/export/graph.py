"""A graph under construction: each operation is one call that returns the name of its result."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from export.config import Tensor

OPSET = 17
IR_VERSION = 8


class Graph:
    """Collects ONNX nodes and constants in the order in which the data flows."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray, name: str | None = None) -> str:
        """A constant of the array's own type, named for its place unless `name` says better."""
        name = name or f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Appends an operator with one result."""
        return self.nodes(operator, *inputs, results=1, name=name, **attributes)[0]

    def nodes(
        self, operator: str, *inputs: str, results: int, name: str | None = None, **attributes: Any
    ) -> list[str]:
        """Appends an operator with several results."""
        name = name or f"{operator}_{len(self._nodes)}"
        names = [name] if results == 1 else [f"{name}:{i}" for i in range(results)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, name, **attributes))
        return names

    def save(self, path: Path, name: str, inputs: list[Tensor], outputs: list[Tensor], doc: str) -> None:
        """Checks the graph and writes it; every input and output gets the batch axis in front."""
        graph = helper.make_graph(
            self._nodes, name, [_value(t) for t in inputs], [_value(t) for t in outputs], self._constants, doc
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="arc2face"
        )
        onnx.checker.check_model(model, full_check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString(deterministic=True))


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    data_type = {"FP32": onnx.TensorProto.FLOAT, "UINT8": onnx.TensorProto.UINT8}[tensor.data_type]
    return helper.make_tensor_value_info(tensor.name, data_type, ["B", *tensor.dims])
