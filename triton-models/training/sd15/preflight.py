"""Finds what would make a training fail, before days are spent on it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch

from export.arc2face.layout import WEIGHTS
from export.arc2face.preflight import GIGABYTE, UnfitError, check_networks, embedding_size
from training.sd15.memory import Demand
from training.sd15.recipe import Recipe
from training.sd15.shards import Shards
from training.sd15.weights import Start


@dataclass(frozen=True)
class Device:
    """What a process computes on."""

    kind: str  # "cuda", or "cpu" for what else there is
    bf16: bool
    free: int  # bytes

    @classmethod
    def of(cls, device: torch.device) -> "Device":
        if device.type == "cuda":
            bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
            return cls("cuda", bf16, torch.cuda.mem_get_info(device)[0])
        return cls("cpu", True, psutil.virtual_memory().available)


def check_start(source: Path) -> Start:
    """The networks to start from; raises unless they are there, whole, and fit together."""
    start = Start.find(source)
    check_networks(start, embedding_size(start))
    return start


def check_out(source: Path, out: Path) -> None:
    if out.resolve() == source.resolve():
        raise UnfitError(f"{out} is where the training starts; it needs a folder of its own to end in")


def check_division(recipe: Recipe, rows: int, processes: int) -> None:
    """Raises unless a batch is whole passes of `rows` rows in each process."""
    if recipe.batch % (rows * processes):
        fitting = [n for n in range(1, recipe.batch + 1) if recipe.batch % (n * processes) == 0]
        raise UnfitError(
            f"a batch of {recipe.batch} cannot be shared by {processes} processes with {rows} rows at a time: "
            + (f"--rows can be {', '.join(map(str, fitting))}" if fitting else "use fewer processes")
        )


def check_precision(precision: str, device: Device) -> None:
    if precision == "bf16" and not device.bf16:
        raise UnfitError(
            "this GPU does not compute in bf16 (Ampere and newer do): "
            'write precision = "fp16" into a recipe of your own'
        )
    if precision == "fp16" and device.kind != "cuda":
        raise UnfitError('fp16 needs a GPU: write precision = "bf16" or "fp32" into a recipe of your own')


def check_memory(demand: Demand, rows: int, device: Device, processes_on_it: int) -> None:
    needed = demand.total(rows) * processes_on_it
    if needed > device.free:
        raise UnfitError(
            f"too little memory: {needed / GIGABYTE:.1f} GB needed ({demand.fixed / GIGABYTE:.1f} GB and "
            f"{demand.per_row / GIGABYTE:.1f} GB for each of {rows} rows{_times(processes_on_it)}), "
            f"{device.free / GIGABYTE:.1f} GB free; fewer --rows need less"
        )


def check_embeddings(shards: Shards, size: int) -> None:
    """Raises unless the first embedding of every shard is the recogniser's [size], and all have that one's bytes."""
    for shard, (count, end) in enumerate(zip(shards.counts, shards.ends, strict=True)):
        first = end - count
        shape = shards.read(first)[1].shape
        if shape != (size,):
            raise UnfitError(
                f"{shards.paths[shard].name}: its embeddings are {list(shape)}, the recogniser's are [{size}]"
            )
        others = np.flatnonzero(shards.places[first:end, 3] != shards.places[first, 3])
        if len(others):
            raise UnfitError(
                f"{shards.describe(first + others[0])}: its embedding has another size than the shard's first"
            )
        shards.close_all_but(set())


def unet_bytes(start: Start) -> int:
    return (start.unet / WEIGHTS).stat().st_size


def _times(processes: int) -> str:
    return f", times {processes} processes" if processes > 1 else ""
