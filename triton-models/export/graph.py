"""A graph under construction: each operation is one call or operator that returns its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from export.config import Tensor

OPSET = 17
IR_VERSION = 8
TYPES = {
    np.dtype(np.float32): onnx.TensorProto.FLOAT,
    np.dtype(np.float16): onnx.TensorProto.FLOAT16,
    np.dtype(np.uint8): onnx.TensorProto.UINT8,
    np.dtype(np.int32): onnx.TensorProto.INT32,
    np.dtype(np.int64): onnx.TensorProto.INT64,
    np.dtype(np.bool_): onnx.TensorProto.BOOL,
}

CONTRACT_TYPES = {
    onnx.TensorProto.FLOAT: "FP32",
    onnx.TensorProto.FLOAT16: "FP16",
    onnx.TensorProto.UINT8: "UINT8",
}


def described(value: onnx.ValueInfoProto) -> Tensor:
    """An input or output of a graph as the contract has it: without the batch axis."""
    tensor = value.type.tensor_type
    dims = tuple(size.dim_value for size in tensor.shape.dim[1:])
    return Tensor(value.name, CONTRACT_TYPES[tensor.elem_type], dims)


@dataclass(frozen=True)
class Value:
    """A named tensor of a graph. In arithmetic a Python float stands for float32, an int for int64."""

    graph: "Graph"
    name: str

    def __add__(self, other: "Operand") -> "Value":
        return self.graph.node("Add", self, other)

    def __sub__(self, other: "Operand") -> "Value":
        return self.graph.node("Sub", self, other)

    def __mul__(self, other: "Operand") -> "Value":
        return self.graph.node("Mul", self, other)

    def __truediv__(self, other: "Operand") -> "Value":
        """Division; of integers, towards zero."""
        return self.graph.node("Div", self, other)

    def __gt__(self, other: "Operand") -> "Value":
        return self.graph.node("Greater", self, other)

    def __and__(self, other: "Operand") -> "Value":
        return self.graph.node("And", self, other)

    def equals(self, other: "Operand") -> "Value":
        return self.graph.node("Equal", self, other)

    def cast(self, data_type: type[np.generic]) -> "Value":
        return self.graph.node("Cast", self, to=TYPES[np.dtype(data_type)])

    def take(self, indices: "Operand", axis: int) -> "Value":
        """As numpy's take: a single index drops the axis."""
        return self.graph.node("Gather", self, indices, axis=axis)

    def unsqueeze(self, *axes: int) -> "Value":
        return self.graph.node("Unsqueeze", self, np.array(axes))

    def reshape(self, *sizes: int) -> "Value":
        """As numpy's reshape, and 0 keeps the size of the axis."""
        return self.graph.node("Reshape", self, np.array(sizes))

    def transpose(self, *axes: int) -> "Value":
        return self.graph.node("Transpose", self, perm=axes)

    def relu(self) -> "Value":
        return self.graph.node("Relu", self)

    def sum(self, *axes: int) -> "Value":
        return self.graph.node("ReduceSum", self, np.array(axes), keepdims=0)


Operand = Value | np.ndarray | np.generic | float | int


class Graph:
    """Collects ONNX nodes and constants in the order in which the data flows.

    The body of a loop is a graph too, of another `prefix`; it may use the values of the graph around it.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}
        self._weights: list[onnx.TensorProto] = []

    def value(self, name: str) -> Value:
        """A value that comes from outside, an input."""
        return Value(self, name)

    def constant(self, array: Operand, name: str | None = None) -> Value:
        """A constant of the array's own type; the same content is stored once, under the first name."""
        array = np.asarray(array, np.float32 if isinstance(array, float) else None, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = name or f"{self._prefix}constant_{len(self._constants)}"
            self._constants[key] = numpy_helper.from_array(array, name)
        return Value(self, self._constants[key].name)

    def node(self, operator: str, *inputs: Operand, name: str | None = None, **attributes: Any) -> Value:
        """Appends an operator with one result."""
        return self.nodes(operator, *inputs, results=1, name=name, **attributes)[0]

    def nodes(
        self, operator: str, *inputs: Operand, results: int, name: str | None = None, **attributes: Any
    ) -> list[Value]:
        """Appends an operator with several results."""
        name = name or f"{self._prefix}{operator}_{len(self._nodes)}"
        names = [name] if results == 1 else [f"{name}:{i}" for i in range(results)]
        operands = [x if isinstance(x, Value) else self.constant(x) for x in inputs]
        self._nodes.append(
            helper.make_node(operator, [operand.name for operand in operands], names, name, **attributes)
        )
        return [Value(self, name) for name in names]

    def concat(self, *values: Operand, axis: int) -> Value:
        return self.node("Concat", *values, axis=axis)

    def include(self, network: onnx.GraphProto, inputs: Mapping[str, Value]) -> list[Value]:
        """Appends a whole network of this opset, without loops or branches, and returns its outputs."""
        prefix = f"{self._prefix}{network.name}/"
        names = {"": ""} | {name: value.name for name, value in inputs.items()}

        def renamed(name: str) -> str:
            return names.setdefault(name, prefix + name)

        for weight in network.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(weight)
            copy.name = renamed(weight.name)
            self._weights.append(copy)
        for node in network.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = prefix + node.name
            copy.input[:] = [renamed(name) for name in node.input]
            copy.output[:] = [renamed(name) for name in node.output]
            self._nodes.append(copy)
        return [Value(self, renamed(output.name)) for output in network.output]

    def iterate(self, step: Callable[[Value], Value], start: Value, limit: Value) -> Value:
        """Applies `step` to `start` [N] float32 until it changes nothing, at most `limit` times."""
        body = Graph(f"{self._prefix}body_")
        state = body.value("state")
        following = step(state)
        changed = body.node("Abs", following - state).sum(0) > 0.0
        proto = body._proto(
            "iterate",
            [
                helper.make_tensor_value_info("iteration", onnx.TensorProto.INT64, []),
                helper.make_tensor_value_info("going", onnx.TensorProto.BOOL, []),
                helper.make_tensor_value_info("state", onnx.TensorProto.FLOAT, ["N"]),
            ],
            [
                helper.make_tensor_value_info(changed.name, onnx.TensorProto.BOOL, []),
                helper.make_tensor_value_info(following.name, onnx.TensorProto.FLOAT, ["N"]),
            ],
        )
        return self.node("Loop", limit, np.array(True), start, body=proto)

    def save(self, path: Path, name: str, inputs: list[Tensor], outputs: list[Tensor], doc: str) -> None:
        """Checks the graph and writes it; every input and output gets the batch axis in front."""
        graph = self._proto(name, [_info(t) for t in inputs], [_info(t) for t in outputs], doc)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="arc2face"
        )
        onnx.checker.check_model(model, full_check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString(deterministic=True))

    def _proto(
        self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto], doc: str = ""
    ) -> onnx.GraphProto:
        weights = [*self._constants.values(), *self._weights]
        return helper.make_graph(self._nodes, name, inputs, outputs, weights, doc)


def _info(tensor: Tensor) -> onnx.ValueInfoProto:
    data_type = {"FP32": onnx.TensorProto.FLOAT, "UINT8": onnx.TensorProto.UINT8}[tensor.data_type]
    return helper.make_tensor_value_info(tensor.name, data_type, ["B", *tensor.dims])
