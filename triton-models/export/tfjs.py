"""TensorFlow.js graph models: read as published (.json topology, .bin weights) and put into ONNX.

Only what MobileFace needs is understood: an image network of convolutions, PReLU written as
max(0, x) + g min(0, x), element-wise arithmetic, and one dense layer behind a flatten. Images go from
TensorFlow's [B,H,W,C] to [B,C,H,W].
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from export.graph import Graph, Value


@dataclass(frozen=True)
class Node:
    """One operation of the topology; `inputs` are names of nodes."""

    operator: str
    inputs: list[str]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class GraphModel:
    """Topology and weights of a graph model, both by node name."""

    nodes: dict[str, Node]
    weights: dict[str, np.ndarray]


def read(topology: bytes, weights: bytes) -> GraphModel:
    """Parses the two published files; weights are in the order of the manifest."""
    model = json.loads(topology)
    nodes = {
        node["name"]: Node(node["op"], node.get("input", []), node.get("attr", {}))
        for node in model["modelTopology"]["node"]
    }
    return GraphModel(nodes, read_weights(model["weightsManifest"], weights))


def read_weights(manifest: list[dict[str, Any]], weights: bytes) -> dict[str, np.ndarray]:
    """Weights by name, those in 8 bits made float32; the bytes are of all files of the manifest, in its order."""
    arrays, offset = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        quantised = entry.get("quantization")
        stored = np.dtype({"float32": "<f4", "int32": "<i4", "uint8": "u1"}[(quantised or entry)["dtype"]])
        array = np.frombuffer(weights, stored, int(np.prod(entry["shape"])), offset)
        offset += array.nbytes
        if quantised is not None:  # in float32, as TensorFlow.js does it
            array = array * np.float32(quantised["scale"]) + np.float32(quantised["min"])
        arrays[entry["name"]] = array.reshape(entry["shape"])
    if offset != len(weights):
        raise ValueError(f"the manifest describes {offset} bytes of weights, the file has {len(weights)}")
    return arrays


def append(model: GraphModel, output: str, image: Value, size: tuple[int, int, int]) -> Value:
    """Appends the network up to node `output` to the graph of `image` [B,*size] (C,H,W). Result: [B,N]."""
    conversion = _Conversion(model, image.graph, _Image(image, size))
    return image.graph.node("Flatten", conversion.convert(output).value, axis=1)


@dataclass(frozen=True)
class _Image:
    """A tensor [B,C,H,W] of the ONNX graph; a vector is an image of height and width 1."""

    value: Value
    size: tuple[int, int, int]


@dataclass
class _Conversion:
    model: GraphModel
    graph: Graph
    image: _Image
    done: dict[str, _Image] = field(default_factory=dict)

    def convert(self, name: str) -> _Image:
        """The ONNX counterpart of node `name`, made with all that it depends on at the first call."""
        if name not in self.done:
            node = self.model.nodes[name]
            match node.operator:
                case "Placeholder":
                    result = self.image
                case "Conv2D" | "DepthwiseConv2dNative":
                    result = self._convolution(name, node)
                case "MatMul":
                    result = self._dense(name, node)
                case "AddV2" if (prelu := self._match_prelu(node)) is not None:
                    x, slope = prelu
                    image = self.convert(x)
                    result = _Image(self._binary("PRelu", name, image, slope), image.size)
                case "AddV2" | "Sub" | "Mul":
                    x, y = node.inputs
                    image = self.convert(x)
                    operator = {"AddV2": "Add"}.get(node.operator, node.operator)
                    result = _Image(self._binary(operator, name, image, y), image.size)
                case _:
                    raise NotImplementedError(f"{node.operator} ({name})")
            self.done[name] = result
        return self.done[name]

    def _convolution(self, name: str, node: Node) -> _Image:
        """VALID convolution, together with the zero padding in front of it."""
        source, kernel = node.inputs
        if _text(node.attributes["padding"]) != "VALID":
            raise NotImplementedError(f"padding of {name}")
        (top, bottom), (left, right) = (0, 0), (0, 0)
        if self.model.nodes[source].operator == "Pad":
            source, paddings = self.model.nodes[source].inputs
            none, (top, bottom), (left, right), none_either = self.model.weights[paddings].tolist()
            if any(none + none_either):
                raise NotImplementedError(f"padding of the batch or channel axis before {name}")
        _, stride_y, stride_x, _ = (int(i) for i in node.attributes["strides"]["list"]["i"])
        image = self.convert(source)
        channels, height, width = image.size
        weight = self.model.weights[kernel]  # [kh,kw,in,out], depthwise [kh,kw,channels,1]
        if node.operator == "DepthwiseConv2dNative":
            weight, groups = weight.transpose(2, 3, 0, 1), channels
        else:
            weight, groups = weight.transpose(3, 2, 0, 1), 1
        features, _, kernel_y, kernel_x = weight.shape
        result = self.graph.node(
            "Conv",
            image.value,
            self.graph.constant(weight, kernel),
            name=name,
            strides=[stride_y, stride_x],
            pads=[top, left, bottom, right],
            group=groups,
        )
        size = (
            features,
            (height + top + bottom - kernel_y) // stride_y + 1,
            (width + left + right - kernel_x) // stride_x + 1,
        )
        return _Image(result, size)

    def _dense(self, name: str, node: Node) -> _Image:
        """Flatten and matrix product as one convolution over the whole image.

        ONNX Runtime multiplies a matrix of one row by another kernel than a matrix of several, with other
        roundings; a convolution treats each image of a batch alike.
        """
        flatten, kernel = node.inputs
        if self.model.nodes[flatten].operator != "Reshape":
            raise NotImplementedError(f"{name} without a flatten before it")
        image = self.convert(self.model.nodes[flatten].inputs[0])
        channels, height, width = image.size
        weight = self.model.weights[kernel].reshape(height, width, channels, -1).transpose(3, 2, 0, 1)
        result = self.graph.node("Conv", image.value, self.graph.constant(weight, kernel), name=name)
        return _Image(result, (len(weight), 1, 1))

    def _match_prelu(self, node: Node) -> tuple[str, str] | None:
        """(x, slope) if the node is max(0, x) + slope * min(0, x)."""
        maximum, product = (self.model.nodes[name] for name in node.inputs)
        if (maximum.operator, product.operator) != ("Maximum", "Mul"):
            return None
        slope, minimum = product.inputs
        zero_below, x = maximum.inputs
        zero_above, same = self.model.nodes[minimum].inputs
        zeros = self.model.weights[zero_below], self.model.weights[zero_above]
        return (x, slope) if x == same and not any(zeros) else None

    def _binary(self, operator: str, name: str, image: _Image, other: str) -> Value:
        """Element-wise operator whose second operand is a node, a constant per channel or a scalar."""
        if other in self.model.weights:
            constant = self.model.weights[other]
            operand = self.graph.constant(constant.reshape(constant.size, 1, 1), other)
        else:
            operand = self.convert(other).value
        return self.graph.node(operator, image.value, operand, name=name)


def _text(attribute: dict[str, str]) -> str:
    """A string attribute: base64 in the published JSON."""
    return base64.b64decode(attribute["s"]).decode()
