"""FP16, and what stays FP32."""

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


def halve(network: nn.Module) -> None:
    """Turns weights and arithmetic into FP16, but for the norms.

    A group norm sums squares over a whole picture: those of activations above 256 do not fit FP16 one by one.
    """
    network.half()
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.GroupNorm):
            network.set_submodule(name, InSinglePrecision(layer))
