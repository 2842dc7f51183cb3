"""From a torch network to its ONNX graph: the one way in which this project traces."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from export.graph import IR_VERSION, OPSET

Axes = Mapping[str, Mapping[int, str]]  # tensor -> axis -> name


def trace(
    path: Path,
    network: nn.Module,
    examples: Sequence[Tensor],
    inputs: Sequence[str],
    outputs: Sequence[str],
    free: Axes | None = None,
    opset: int = OPSET,
) -> None:
    """Writes the graph of a network in evaluation mode; weights of 2 GiB and more get files of their own beside it.

    `free` names the axes that may have any size: the first of each tensor, unless told otherwise.
    """
    with warnings.catch_warnings():
        # Python values of the network become constants, and this exporter is the old one: each export compares its
        # graph with the network at other batch sizes, which tells whether that does harm.
        for harmless in (torch.jit.TracerWarning, DeprecationWarning):
            warnings.simplefilter("ignore", harmless)
        torch.onnx.export(
            network,
            tuple(examples),
            str(path),  # beyond 2 GiB a Path is taken for a buffer
            input_names=[*inputs],
            output_names=[*outputs],
            dynamic_axes=free or {name: {0: "B"} for name in (*inputs, *outputs)},
            opset_version=opset,
            autograd_inlining=False,  # or what a function's Python computes would be traced instead of its symbol
            dynamo=False,
        )


def load(path: Path, name: str) -> onnx.ModelProto:
    """A traced graph under this name, with nothing in it that differs between two runs or two machines.

    Weights in files of their own stay there.
    """
    model = onnx.load(path, load_external_data=False)
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "arc2face", ""
    model.graph.name = name
    for node in model.graph.node:
        node.doc_string = ""
    return model
