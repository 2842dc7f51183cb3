"""What would overflow in FP16 must be seen."""

import copy
from pathlib import Path

import torch
from torch import nn

from export.arc2face import activations
from export.arc2face.activations import LARGEST, Ranges, measure
from export.arc2face.layout import Layout
from export.arc2face.precision import halve


def test_random_weights_stay_far_below_the_limit_but_sums_of_squares_do_not(published: Path) -> None:
    ranges = measure(Layout(published), steps=2)
    assert {block.split()[0] for block in ranges.activations} == {"encoder", "unet", "vae_decoder"}
    assert max(ranges.activations.values()) < LARGEST / 50
    assert max(ranges.sums.values()) > LARGEST
    assert "| unet mid_block |" in ranges.table()


def test_overflow_is_infinite() -> None:
    layer = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4))
    nn.init.constant_(layer[0].weight, 30000.0)
    halve(layer)
    ranges = Ranges()
    with torch.inference_mode(), ranges.watching(layer, "network"):
        layer(torch.ones(1, 4, dtype=torch.float16))
    assert ranges.activations["network 0"] == float("inf")


@torch.inference_mode()
def test_layers_add_up_in_single_precision_and_round_to_half() -> None:
    torch.manual_seed(0)
    exact = nn.Sequential(
        nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.Flatten(), nn.Linear(8 * 16, 5, bias=False)
    )
    x = torch.randn(2, 4, 8, 8).half()
    halved = copy.deepcopy(exact)
    activations._halve(halved)
    first = nn.functional.conv2d(
        x.float(), exact[0].weight.half().float(), exact[0].bias.half().float(), stride=2, padding=1
    ).half()
    assert torch.equal(halved[0](x), first)
    assert torch.equal(halved(x), (first.flatten(1).float() @ exact[2].weight.half().float().T).half())
