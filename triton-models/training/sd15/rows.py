"""Training rows: a sample's picture and embedding, with everything about it that chance decides.

Chance belongs to the row, not to the process: it is drawn from a generator of the row's own number. However many
processes share a batch, and wherever a training was interrupted, a row is the same.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from training.sd15.recipe import Recipe
from training.sd15.shards import Order, ShardError, Shards

LATENT_CHANNELS, LATENT_SIDE = 4, 8  # channels, and pixels of a picture for each of a latent's
TIMESTEPS = 1000


class Rows(Dataset):
    """Row number -> `picture` [3,R,R] in -1..1, `embedding` [D] of unit length, `noise` and `posterior` [4,R/8,R/8]
    from N(0, 1), `timestep` [], `conditional` []."""

    def __init__(self, shards: Shards, recipe: Recipe, embedding_size: int) -> None:
        self.shards, self.recipe, self.embedding_size = shards, recipe, embedding_size
        self.order = Order(shards, recipe.seed, recipe.shuffled_shards)

    def __getitem__(self, row: int) -> dict[str, Tensor]:
        sample = self.order.sample(row)
        packed, embedding = self.shards.read(sample)
        where = self.shards.describe(sample)
        if embedding.shape != (self.embedding_size,):
            raise ShardError(
                f"{where}: its embedding is {list(embedding.shape)}, the recogniser's are [{self.embedding_size}]"
            )
        length = np.linalg.norm(embedding.astype(np.float32))
        if not np.isfinite(length) or length == 0:
            raise ShardError(f"{where}: its embedding has no direction")
        try:
            picture = decode(packed, self.recipe.resolution)
        except (OSError, ValueError) as error:
            raise ShardError(f"{where}: its picture cannot be read: {error}") from error
        return {
            "picture": picture,
            "embedding": torch.from_numpy(embedding.astype(np.float32) / length),
            **self._draw(row),
        }

    def _draw(self, row: int) -> dict[str, Tensor]:
        chance = np.random.Generator(np.random.Philox(key=[self.recipe.seed, row]))
        side = self.recipe.resolution // LATENT_SIDE
        timestep = chance.integers(TIMESTEPS)
        conditional = chance.random() >= self.recipe.unconditional
        noise, posterior = chance.standard_normal((2, LATENT_CHANNELS, side, side), np.float32)
        return {
            "timestep": torch.tensor(timestep),
            "conditional": torch.tensor(bool(conditional)),
            "noise": torch.from_numpy(noise),
            "posterior": torch.from_numpy(posterior),
        }


def decode(packed: bytes, side: int) -> Tensor:
    """A picture's file -> [3,side,side] in -1..1: its middle square, resampled where it has another size."""
    image = Image.open(io.BytesIO(packed)).convert("RGB")
    if image.size != (side, side):
        width, height = image.size
        square = min(width, height)
        left, top = (width - square) // 2, (height - square) // 2
        image = image.crop((left, top, left + square, top + square))
        image = image.resize((side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 127.5 - 1


@dataclass(frozen=True)
class Batches(Sampler):
    """The row numbers of one process, `rows` at a time: of each step's batch it takes every `processes`-th part."""

    first_step: int
    last_step: int
    batch: int
    rows: int
    process: int
    processes: int

    def __iter__(self) -> Iterator[list[int]]:
        stride = self.rows * self.processes
        for step in range(self.first_step, self.last_step):
            for part in range(step * self.batch, (step + 1) * self.batch, stride):
                first = part + self.process * self.rows
                yield list(range(first, first + self.rows))

    def __len__(self) -> int:
        return (self.last_step - self.first_step) * self.batch // (self.rows * self.processes)
