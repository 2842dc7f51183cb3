"""What the networks compute in: bfloat16 where the CPU multiplies matrices in it, else float32.

Without AMX, bfloat16 is emulated: a UNet's step took sixteen times as long on a Zen 3.
"""

from functools import cache
from pathlib import Path

import torch

CPU = Path("/proc/cpuinfo")


@cache
def has_amx() -> bool:
    return CPU.exists() and "amx_bf16" in CPU.read_text().split()


def autocast() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=has_amx())
