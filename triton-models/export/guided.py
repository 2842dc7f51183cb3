"""Adds the contract's optional `unet_guided` to a model repository: a denoising step with its guidance inside.

A guided picture is one row of it instead of two of `unet`, so that half of the bytes stay off the wire. Inside, each
row is the same two rows as outside, and guidance is computed in FP32, as the gateway does it.
"""

import argparse
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from export.config import Tensor, max_batch_size, write_config_like
from export.graph import described


def add(repository: Path) -> Path:
    """Writes repository/unet_guided from repository/unet and the encoder's unconditional context; returns it."""
    source, folder = repository / "unet" / "1", repository / "unet_guided"
    model = onnx.load(source / "model.onnx", load_external_data=False)
    graph = model.graph
    inside = {name: f"{name}_of_both" for name in ("latents", "timestep", "context", "prediction")}
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [inside.get(name, name) for name in names]

    outer = {value.name: value for value in (*graph.input, *graph.output)}
    kind = outer["latents"].type.tensor_type.elem_type
    unconditional = _unconditional_context(repository).astype(helper.tensor_dtype_to_np_dtype(kind))
    graph.initializer.append(numpy_helper.from_array(unconditional[None], "unconditional"))  # [1,T,C]
    graph.initializer.append(numpy_helper.from_array(np.array([-1, 1, 1, 1]), "column"))
    before = [
        helper.make_node("Shape", ["context"], ["context_shape"]),
        helper.make_node("Expand", ["unconditional", "context_shape"], ["unconditionals"]),  # [B,T,C]
        helper.make_node("Concat", ["unconditionals", "context"], [inside["context"]], axis=0),
        helper.make_node("Concat", ["latents", "latents"], [inside["latents"]], axis=0),
        helper.make_node("Concat", ["timestep", "timestep"], [inside["timestep"]], axis=0),
    ]
    after = [
        helper.make_node("Cast", [inside["prediction"]], ["both"], to=TensorProto.FLOAT),
        helper.make_node("Split", ["both"], ["away", "towards"], axis=0),  # [B,4,h,w] each
        helper.make_node("Reshape", ["guidance", "column"], ["scale"]),
        helper.make_node("Sub", ["towards", "away"], ["direction"]),
        helper.make_node("Mul", ["scale", "direction"], ["way"]),
        helper.make_node("Add", ["away", "way"], ["guided"]),
        helper.make_node("Cast", ["guided"], ["prediction"], to=kind),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # their batch was one size
    graph.input.append(helper.make_tensor_value_info("guidance", TensorProto.FLOAT, ["B", 1]))
    graph.name = folder.name

    version = folder / "1"
    shutil.rmtree(folder, ignore_errors=True)
    version.mkdir(parents=True)
    for weights in source.glob("model.onnx.*"):
        _link(weights, version / weights.name)
    (version / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(version / "model.onnx", full_check=True)
    _write_config(repository, folder, graph)
    return folder


def _unconditional_context(repository: Path) -> np.ndarray:
    """[T,C] of the encoder, which gives the same for every embedding."""
    session = onnxruntime.InferenceSession(
        repository / "encoder" / "1" / "model.onnx", providers=["CPUExecutionProvider"]
    )
    (embedding,) = session.get_inputs()
    anybody = np.zeros((1, *embedding.shape[1:]), np.float32)
    anybody[0, 0] = 1
    return session.run(["negative_context"], {embedding.name: anybody})[0][0]


def _link(source: Path, target: Path) -> None:
    """The same file under another name where the disk allows it: weights above 2 GB need not lie there twice."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy2(source, target)


def _write_config(repository: Path, folder: Path, graph: onnx.GraphProto) -> None:
    """As that of `unet`, for as many pictures as it takes in pairs of rows."""
    unet = repository / "unet"
    inputs = [described(value) for value in graph.input]
    (latents,) = (tensor for tensor in inputs if tensor.name == "latents")
    outputs = [Tensor("prediction", latents.data_type, latents.dims)]
    write_config_like(unet, folder, max_batch_size(unet) // 2, inputs, outputs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m export.guided", description=__doc__)
    parser.add_argument("repository", type=Path, help="a folder with the models unet and encoder")
    print(add(parser.parse_args().repository))
