"""Reads the face networks as insightface publishes them: ONNX of an older opset, for one picture at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper, shape_inference, version_converter

from export.graph import OPSET, Value

LICENCE = "insightface's antelopev2: non-commercial research only"
LARGEST = float(np.finfo(np.float16).max)
# Of an output, as a share of its largest value: the largest deviation; for FP16 the root mean square, 35 dB.
TOLERANCES = {"fp32": 1e-4, "fp16": 10 ** (-35 / 20)}


@dataclass(frozen=True)
class Network:
    """A network that may become part of a graph: one input [1,3,h,w], normalised RGB."""

    model: onnx.ModelProto
    metadata: dict[str, str]  # what the file says of itself

    @property
    def sides(self) -> list[int | None]:
        """Height and width of the input; None: any."""
        sizes = self.model.graph.input[0].type.tensor_type.shape.dim[2:]
        return [size.dim_value or None for size in sizes]

    @property
    def licence(self) -> str:
        return self.metadata.get("licence", LICENCE)

    def apply(self, image: Value, precision: str) -> list[Value]:
        """Its outputs for normalised pictures [B,3,h,w] float32, as float32 whatever the network computes in."""
        graph = self.model.graph
        if precision == "fp16":
            outputs = image.graph.include(_halved(self.model), {graph.input[0].name: image.cast(np.float16)})
            return [output.cast(np.float32) for output in outputs]
        return image.graph.include(graph, {graph.input[0].name: image})

    def fix_resizes(self, sides: Sequence[int]) -> None:
        """Gives each Resize the constant factors that it has for an input of this height and width.

        As published, it computes its size from another tensor's shape, with a batch of one written into it.
        """
        graph = self.model.graph
        resizes = [node for node in graph.node if node.op_type == "Resize"]
        probe = onnx.ModelProto()
        probe.CopyFrom(self.model)
        probe.graph.output.extend(
            helper.make_empty_tensor_value_info(name)
            for node in resizes
            for name in (node.input[0], node.output[0])
        )
        answers = run(probe, np.zeros((1, 3, *sides), np.float32))
        shapes = [answer.shape[2:] for answer in answers[len(graph.output) :]]
        for index, node in enumerate(resizes):
            before, after = shapes[2 * index : 2 * index + 2]
            factors = np.array([1, 1, *(b / a for a, b in zip(before, after, strict=True))], np.float32)
            name = f"{node.output[0]}/factors"
            graph.initializer.append(numpy_helper.from_array(factors, name))
            node.input[:] = [node.input[0], "", name]
        _prune(graph)

    def separate_rows(self) -> None:
        """Turns each dense layer into a convolution of one pixel, which computes every row of a batch alone.

        A matrix product takes another kernel, with other roundings, for one row than for several.
        """
        graph = self.model.graph
        weights = {weight.name: weight for weight in graph.initializer}
        nodes = []
        for node in graph.node:
            if node.op_type != "Gemm":
                nodes.append(node)
                continue
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if (
                attributes.get("transA", 0)
                or attributes.get("alpha", 1) != 1
                or attributes.get("beta", 1) != 1
            ):
                raise ValueError(f"dense layer {node.name} is of an unknown form")
            x, weight, *bias = node.input
            matrix = numpy_helper.to_array(weights[weight])
            kernel = (matrix if attributes.get("transB", 0) else matrix.T)[:, :, None, None]
            y, axes = node.output[0], f"{node.output[0]}/axes"
            weights[weight].CopyFrom(numpy_helper.from_array(kernel, weight))
            graph.initializer.append(numpy_helper.from_array(np.array([2, 3]), axes))
            nodes += [
                helper.make_node("Unsqueeze", [x, axes], [f"{y}/pixel"], f"{node.name}/Unsqueeze"),
                helper.make_node("Conv", [f"{y}/pixel", weight, *bias], [f"{y}/one"], f"{node.name}/Conv"),
                helper.make_node("Flatten", [f"{y}/one"], [y], f"{node.name}/Flatten"),
            ]
        del graph.node[:]
        graph.node.extend(nodes)


def read(path: Path, outputs: int) -> Network:
    """The network of a file, which must have one input and so many outputs; weights as initialisers, no dead nodes."""
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    weights = {weight.name for weight in model.graph.initializer}
    inputs = [
        value for value in model.graph.input if value.name not in weights
    ]  # older files list weights, too
    if len(inputs) != 1 or len(model.graph.output) != outputs:
        raise ValueError(
            f"{path}: has {len(inputs)} inputs and {len(model.graph.output)} outputs, not 1 and {outputs}:"
            " is this the published file?"
        )
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    if model.opset_import[0].version < OPSET:
        model = version_converter.convert_version(model, OPSET)
    del model.graph.value_info[:]  # shapes for one picture
    _hold_constants(model.graph)
    _prune(model.graph)
    return Network(model, metadata)


def normalise(image: Value, divisor: float) -> Value:
    """Pixels [B,h,w,3] uint8 -> [B,3,h,w] float32, about -1 to 1."""
    return ((image.cast(np.float32) - 127.5) * (1 / divisor)).transpose(0, 3, 1, 2)


def run(model: onnx.ModelProto | Path, pictures: np.ndarray) -> list[np.ndarray]:
    """The model's outputs for its only input, by ONNX Runtime on a CPU."""
    source = model if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: pictures})


def check(ours: Path, published: Path, pictures: np.ndarray, divisor: float, precision: str) -> str:
    """Raises unless our network answers [B,S,S,3] uint8 as the published one answers each picture alone.

    Says how near it is.
    """
    answers = run(ours, pictures)
    worst = 0.0
    for row, picture in enumerate(pictures):
        for number, (answer, wanted) in enumerate(
            zip(answers, run(published, _blob(picture[None], divisor)), strict=True)
        ):
            peak = np.abs(wanted).max()
            if precision == "fp16":
                peak = max(peak, 1.0)  # a score's range, though no place of these pictures comes near it
            deviation = np.abs(answer[row] - wanted.reshape(answer[row].shape)) / peak
            error = deviation.max() if precision == "fp32" else np.sqrt(np.square(deviation).mean())
            if not error <= TOLERANCES[precision]:
                raise ValueError(
                    f"{published}: output {number} of picture {row} in a batch of {len(pictures)} is off by {error:.1e}"
                    f" of its largest value; {precision} allows {TOLERANCES[precision]:.1e}"
                )
            worst = max(worst, error)
    decibels = "" if precision == "fp32" else f", {-20 * np.log10(worst):.1f} dB"
    return f"a batch against the published network, picture by picture: error {worst:.1e}{decibels}"


def check_range(network: Network, pictures: np.ndarray, divisor: float) -> str:
    """Raises if FP16 cannot hold what a layer gives for [B,S,S,3] uint8, black or white; says the largest value."""
    probe = onnx.ModelProto()
    probe.CopyFrom(network.model)
    probe.graph.CopyFrom(_plain(network.model))
    names = [name for node in probe.graph.node for name in node.output]
    del probe.graph.output[:]
    probe.graph.output.extend(map(helper.make_empty_tensor_value_info, names))
    largest = 0.0
    for picture in (*pictures, np.zeros_like(pictures[0]), np.full_like(pictures[0], 255)):
        for name, values in zip(names, run(probe, _blob(picture[None], divisor)), strict=True):
            if not np.abs(values).max() <= LARGEST:
                raise ValueError(
                    f"{name} reaches {np.abs(values).max():.0f}: too large for FP16, export FP32"
                )
            largest = max(largest, float(np.abs(values).max()))
    return f"largest activation {largest:.0f} of {LARGEST:.0f}"


def _blob(pictures: np.ndarray, divisor: float) -> np.ndarray:
    return (pictures.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / np.float32(divisor)


def _hold_constants(graph: onnx.GraphProto) -> None:
    """Turns the results of Constant nodes into initialisers."""
    constants = [node for node in graph.node if node.op_type == "Constant"]
    for node in constants:
        value = helper.get_node_attr_value(node, "value")
        value.name = node.output[0]
        graph.initializer.append(value)
        graph.node.remove(node)


def _prune(graph: onnx.GraphProto) -> None:
    """Removes nodes and weights that no output needs."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    weights = [weight for weight in graph.initializer if weight.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(weights)


def _halved(model: onnx.ModelProto) -> onnx.GraphProto:
    """The same network in FP16; only the factors of a Resize stay as they are."""
    halved = _plain(model)
    factors = {name for node in halved.node if node.op_type == "Resize" for name in node.input[1:]}
    for weight in halved.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and weight.name not in factors:
            values = numpy_helper.to_array(weight)
            if np.abs(values).max() > LARGEST:
                raise ValueError(f"weight {weight.name} is too large for FP16")
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), weight.name))
    return halved


def _plain(model: onnx.ModelProto) -> onnx.GraphProto:
    """The same network, each normalisation a factor and a summand: a small variance would not survive in FP16."""
    graph = shape_inference.infer_shapes(model).graph
    weights = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    rank = {value.name: len(value.type.tensor_type.shape.dim) for value in graph.value_info}
    nodes = []
    for node in graph.node:
        if node.op_type != "BatchNormalization":
            nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        scale, bias, mean, variance = (weights[name].astype(np.float64) for name in node.input[1:])
        gain = scale / np.sqrt(variance + helper.get_node_attr_value(node, "epsilon"))
        shape = [-1] + [1] * (rank[x] - 2)
        for name, values in (("gain", gain), ("shift", bias - mean * gain)):
            values = values.astype(np.float32).reshape(shape)
            graph.initializer.append(numpy_helper.from_array(values, f"{y}/{name}"))
        nodes.append(helper.make_node("Mul", [x, f"{y}/gain"], [f"{y}/scaled"], f"{node.name}/Mul"))
        nodes.append(helper.make_node("Add", [f"{y}/scaled", f"{y}/shift"], [y], f"{node.name}/Add"))
    del graph.node[:]
    graph.node.extend(nodes)
    _prune(graph)
    return graph
