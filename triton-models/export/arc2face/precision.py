"""FP16, and what stays FP32."""

from typing import Any

import torch
from torch import Tensor, nn

KEPT = (
    "FP32 stay the timestep and its sinusoids, the group norms (sums of squares over a group exceed 65504 where "
    "activations are far below: `python -m export.arc2face.activations` measures both), the layer norms' statistics "
    "(ONNX computes them so), the encoder's softmax, and the decoder's scaling of pixels."
)


class InSinglePrecision(nn.Module):
    """Computes a layer in FP32 and gives its result in the type of its input."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer.float()

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.float()).to(x.dtype)


class Uncomputed(nn.Module):
    """A convolution [B,c,h,w] -> [B,o,h',w'] that a trace records, and that gives zeros.

    What a trace computes is thrown away, and a CPU that has no FP16 arithmetic takes the better part of an hour for the
    convolutions of one UNet.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self.attributes = {
            "dilations_i": layer.dilation,
            "group_i": layer.groups,
            "kernel_shape_i": layer.kernel_size,
            "pads_i": (*layer.padding, *layer.padding),
            "strides_i": layer.stride,
        }

    def forward(self, x: Tensor) -> Tensor:
        bias = () if self.bias is None else (self.bias,)
        return _Recorded.apply(self.attributes, x, self.weight, *bias)


class _Recorded(torch.autograd.Function):
    """ONNX's Conv."""

    @staticmethod
    def forward(_, attributes: dict[str, Any], x: Tensor, weight: Tensor, *bias: Tensor) -> Tensor:
        sides = (
            (side + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for side, pad, dilation, kernel, stride in zip(
                x.shape[2:],
                attributes["pads_i"][:2],
                attributes["dilations_i"],
                attributes["kernel_shape_i"],
                attributes["strides_i"],
                strict=True,
            )
        )
        return x.new_zeros(len(x), len(weight), *sides)

    @staticmethod
    def symbolic(graph: Any, attributes: dict[str, Any], *tensors: Any) -> Any:
        return graph.op("Conv", *tensors, **attributes)


def leave_convolutions(network: nn.Module) -> None:
    """Has a trace of the network record its convolutions without computing them."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.Conv2d):
            network.set_submodule(name, Uncomputed(layer))


def halve(network: nn.Module) -> None:
    """Turns weights and arithmetic into FP16, but for the norms.

    A group norm sums squares over a whole picture: those of activations above 256 do not fit FP16 one by one.
    """
    network.half()
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.GroupNorm):
            network.set_submodule(name, InSinglePrecision(layer))
