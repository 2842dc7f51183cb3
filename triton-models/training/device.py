"""Where the networks compute, and in what.

On a GPU in bfloat16; on a CPU in bfloat16 where it multiplies matrices in it, else in float32. Without AMX, bfloat16 is
emulated: a UNet's step took sixteen times as long on a Zen 3.
"""

import argparse
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

CPU = Path("/proc/cpuinfo")
Network = TypeVar("Network", bound=nn.Module)


def add_argument(parser: argparse.ArgumentParser) -> None:
    """`--device`, a GPU where there is one."""
    parser.add_argument(
        "--device", type=torch.device, default=torch.device("cuda" if torch.cuda.is_available() else "cpu")
    )


def place(network: Network, where: torch.device) -> Network:
    """A network there, its weights in the layout in which convolutions are fastest."""
    return network.to(where, memory_format=torch.channels_last)


def of(network: nn.Module) -> torch.device:
    """Where all of a network is."""
    return next(network.parameters()).device


@cache
def has_amx() -> bool:
    return CPU.exists() and "amx_bf16" in CPU.read_text().split()


def autocast(tensor: Tensor) -> torch.autocast:
    """For what is computed from this tensor, where it is."""
    kind = tensor.device.type
    return torch.autocast(kind, torch.bfloat16, enabled=kind != "cpu" or has_amx())


def random_state() -> list[Tensor]:
    """The states of all random generators: the CPU's, then each GPU's."""
    return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]


def set_random_state(states: list[Tensor]) -> None:
    """Of as many devices as there were; more of them go on as they are."""
    torch.set_rng_state(states[0])
    for number, state in enumerate(states[1 : 1 + torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, number)
