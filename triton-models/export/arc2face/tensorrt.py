"""What TensorRT's ONNX parser takes, asked of a graph without TensorRT and without a GPU."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, defs, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

OPSETS = range(9, 21)
OPERATORS = Path(__file__).with_name("tensorrt_operators.tsv")
TYPES = {
    TensorProto.FLOAT: "FP32",
    TensorProto.FLOAT16: "FP16",
    TensorProto.INT32: "INT32",
    TensorProto.INT64: "INT64",
    TensorProto.UINT8: "UINT8",
    TensorProto.BOOL: "BOOL",
}

# Inputs that have to be constants of the graph, by their place.
REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")
CONSTANT_INPUTS = {"Slice": 3, "Squeeze": 1, "Unsqueeze": 1, "Pad": 3} | {f"Reduce{r}": 1 for r in REDUCTIONS}

# Attributes that have to have one of these values, where they are given.
ATTRIBUTES = {
    "Resize": {
        "mode": ("nearest", "linear"),
        "nearest_mode": ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"),
        "keep_aspect_ratio_policy": ("stretch",),
        "antialias": (0,),
    },
    "TopK": {"sorted": (1,)},
    "ScatterND": {"reduction": ("none",)},
}
FIRST_OUTPUT_ONLY = ("LayerNormalization", "MaxPool")

LARGE = 1 << 12  # bytes: a constant above it is a weight, whose numbers no shape depends on
FEW = 64  # numbers, of what is computed with shapes


def load(path: Path) -> onnx.ModelProto:
    """The graph with the small constants only: what shapes and types depend on."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > LARGE:
            tensor.ClearField("raw_data")
    return model


def at_batch(model: onnx.ModelProto, rows: int) -> onnx.ModelProto:
    """The graph for a batch of this size, with every type and shape that follows. Raises where shapes disagree."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    sized.graph.ClearField("value_info")
    for tensor in (*sized.graph.input, *sized.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_value = rows
    sized = shape_inference.infer_shapes(sized, check_type=True, strict_mode=True, data_prop=True)
    _complete(sized)
    return sized


def _complete(model: onnx.ModelProto) -> None:
    """Fills in the shapes that follow from arithmetic with shapes, by doing it, as TensorRT's parser does."""
    graph = model.graph
    (opset,) = (opset.version for opset in model.opset_import if opset.domain == "")
    types = {info.name: info.type for info in (*graph.input, *graph.value_info, *graph.output)}
    values = {}
    for tensor in graph.initializer:
        types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
        if math.prod(tensor.dims) <= FEW:
            values[tensor.name] = tensor
    for node in graph.node:
        inputs = [name for name in node.input if name]
        if node.op_type == "Shape" and not node.attribute and is_known(types[inputs[0]]):
            sizes = [dim.dim_value for dim in types[inputs[0]].tensor_type.shape.dim]
            results = [np.array(sizes, np.int64)]
        elif all(name in values for name in inputs):
            feed = {name: numpy_helper.to_array(values[name]) for name in inputs}
            results = ReferenceEvaluator(node, opsets={"": opset}).run(None, feed)
        elif not any(attribute.HasField("g") for attribute in node.attribute):
            schema = defs.get_schema(node.op_type, opset)
            known = {name: values[name] for name in inputs if name in values}
            read = {name: types[name] for name in inputs if name in types}
            types |= shape_inference.infer_node_outputs(
                schema, node, read, known, opset_imports=[*model.opset_import]
            )
            continue
        else:
            continue
        for name, result in zip(node.output, results, strict=True):
            types[name] = helper.make_tensor_type_proto(
                helper.np_dtype_to_tensor_dtype(result.dtype), result.shape
            )
            if result.size <= FEW:
                values[name] = numpy_helper.from_array(np.asarray(result), name)
    ends = {info.name for info in (*graph.input, *graph.output)} | {
        tensor.name for tensor in graph.initializer
    }
    graph.ClearField("value_info")
    graph.value_info.extend(
        helper.make_value_info(name, kind) for name, kind in types.items() if name not in ends
    )
    for output in graph.output:
        output.type.CopyFrom(types[output.name])


def is_known(kind: onnx.TypeProto) -> bool:
    """Whether the shape is known in full."""
    tensor = kind.tensor_type
    return tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim)


def tensors(model: onnx.ModelProto) -> dict[str, onnx.TypeProto.Tensor]:
    """Type and shape of every tensor of an inferred graph; constants included."""
    graph = model.graph
    found = {info.name: info.type.tensor_type for info in (*graph.value_info, *graph.input, *graph.output)}
    for tensor in graph.initializer:
        found[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims).tensor_type
    return found


def unknown_shapes(model: onnx.ModelProto) -> list[str]:
    """The tensors of an inferred graph whose shape is not known in full, with the operator that makes them."""
    kinds = {info.name: info.type for info in (*model.graph.value_info, *model.graph.output)}
    known = {name for name, kind in kinds.items() if is_known(kind)}
    return [
        f"{node.op_type} gives '{name}' an unknown shape"
        for node in model.graph.node
        for name in node.output
        if name and name not in known
    ]


def refusals(model: onnx.ModelProto) -> list[str]:
    """Why TensorRT would not take an inferred graph, each reason once; empty if it would."""
    return list(dict.fromkeys(_refusals(model)))


def _refusals(model: onnx.ModelProto) -> Iterator[str]:
    for opset in model.opset_import:
        if opset.domain == "" and opset.version not in OPSETS:
            yield f"opset {opset.version}, TensorRT takes {OPSETS.start} to {OPSETS.stop - 1}"
    (opset,) = (opset.version for opset in model.opset_import if opset.domain == "")
    supported, types = supported_operators(), tensors(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {name for node in model.graph.node if node.op_type == "Constant" for name in node.output}
    ends = {tensor.name for tensor in (*model.graph.input, *model.graph.output)}

    for node in model.graph.node:
        if node.domain or node.op_type not in supported:
            yield f"operator {node.domain or 'ai.onnx'}.{node.op_type} is not supported"
            continue
        for name in data_tensors(node, opset):
            data_type = TYPES.get(types[name].elem_type, str(types[name].elem_type))
            if data_type not in supported[node.op_type]:
                yield f"operator {node.op_type} does not take {data_type}"
            if data_type == "UINT8" and name not in ends:
                yield f"'{name}' is UINT8 inside the graph"
        place = CONSTANT_INPUTS.get(node.op_type, len(node.input))
        if place < len(node.input) and node.input[place] not in constants | {""}:
            yield f"input {place} of {node.op_type} is not a constant"
        if node.op_type in FIRST_OUTPUT_ONLY and any(node.output[1:]):
            yield f"{node.op_type} has a second output"
        for attribute in node.attribute:
            allowed = ATTRIBUTES.get(node.op_type, {}).get(attribute.name)
            value = helper.get_attribute_value(attribute)
            value = value.decode() if isinstance(value, bytes) else value
            if allowed and value not in allowed:
                yield f"{node.op_type} has {attribute.name} {value}"


def data_tensors(node: onnx.NodeProto, opset: int) -> list[str]:
    """The tensors whose type the operator list speaks of: the data, not indices, shapes or comparisons' results."""
    schema = defs.get_schema(node.op_type, opset)
    if node.op_type in ("Cast", "Constant", "ConstantOfShape"):
        data = [*node.input, *node.output] if node.op_type == "Cast" else [*node.output]
        return [name for name in data if name]
    kind = schema.inputs[1 if node.op_type == "Where" else 0].type_str
    found = []
    for names, formals in ((node.input, schema.inputs), (node.output, schema.outputs)):
        for place, name in enumerate(names):
            if name and formals[min(place, len(formals) - 1)].type_str == kind:
                found.append(name)
    return found


def supported_operators() -> dict[str, list[str]]:
    lines = OPERATORS.read_text(encoding="ascii").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {name: types.split() for name, types in rows}


def live_bytes(model: onnx.ModelProto) -> int:
    """The most that the tensors of an inferred graph take at one time, weights aside, if each lives from the operator
    that makes it to the last one that reads it and none are fused."""
    constants = {tensor.name for tensor in model.graph.initializer}
    sizes = {name: byte_size(tensor) for name, tensor in tensors(model).items() if name not in constants}
    last = {name: place for place, node in enumerate(model.graph.node) for name in node.input}
    last |= {tensor.name: len(model.graph.node) for tensor in model.graph.output}
    dying: dict[int, list[str]] = {}
    for name, place in last.items():
        dying.setdefault(place, []).append(name)

    live = sum(sizes[tensor.name] for tensor in model.graph.input)
    most = live
    for place, node in enumerate(model.graph.node):
        live += sum(sizes[name] for name in node.output if name in last)
        most = max(most, live)
        live -= sum(sizes.get(name, 0) for name in dying.get(place, ()))
    return most


def byte_size(tensor: onnx.TypeProto.Tensor) -> int:
    item = helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize
    return item * math.prod(dim.dim_value for dim in tensor.shape.dim)
