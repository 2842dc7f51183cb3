"""What an FP16 trace leaves out must not be missing from its graph."""

from pathlib import Path

import pytest
import torch
from torch import nn

from export.arc2face import precision, traced
from export.config import Tensor


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, 8, 3, padding=1),
            nn.GroupNorm(2, 8),
            nn.Conv2d(8, 8, (3, 5), stride=(2, 1), padding=(1, 2), groups=4, bias=False),
            nn.Conv2d(8, 4, 3, padding=2, dilation=2),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def write(folder: Path) -> bytes:
    torch.manual_seed(0)
    inputs, outputs = [Tensor("x", "FP16", (4, 16, 16))], [Tensor("y", "FP16", (4, 8, 16))]
    checks = traced.export(folder, Convolutions(), inputs, outputs, [torch.randn(3, 4, 16, 16)], "fp16")
    assert checks[0].psnr > 50
    return (folder / "1" / "model.onnx").read_bytes()


@torch.inference_mode()
def test_convolutions_that_are_not_computed_are_in_the_graph_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = write(tmp_path / "left" / "model")
    monkeypatch.setattr(traced, "leave_convolutions", lambda _: None)
    assert left == write(tmp_path / "computed" / "model")


@torch.inference_mode()
def test_convolutions_left_out_keep_their_shapes() -> None:
    network, x = Convolutions(), torch.randn(2, 4, 16, 16)
    shape = network(x).shape
    precision.leave_convolutions(network)
    assert network(x).shape == shape
