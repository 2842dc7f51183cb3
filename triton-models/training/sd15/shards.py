"""Finds samples in WebDataset shards: tar files in which the files of one name, up to its first dot, are one sample.

Shards are read by place and not as a stream, so that a position in the data is one number and any process can begin at
any of them.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

PICTURES = ("jpg", "jpeg", "png", "webp")
EMBEDDING = "npy"

Place = tuple[int, int]  # where a file's bytes begin in its shard, and how many they are


class ShardError(Exception):
    """Says which shard cannot be trained on, and why."""


class Shards:
    """The samples of a folder of shards, numbered through in the order of the shards' names."""

    def __init__(self, paths: list[Path], counts: np.ndarray, places: np.ndarray) -> None:
        self.paths = paths
        self.counts = counts  # [S], samples of each shard
        self.ends = counts.cumsum()
        self.places = places  # [N,4]: the picture's place, the embedding's place
        self._open: dict[int, io.FileIO] = {}

    def __len__(self) -> int:
        return len(self.places)

    @property
    def fingerprint(self) -> str:
        """Of the names and sizes of all samples: a training that goes on has the data that it began with."""
        digest = hashlib.sha256(json.dumps([path.name for path in self.paths]).encode())
        digest.update(self.counts.tobytes())
        digest.update(np.ascontiguousarray(self.places).tobytes())
        return digest.hexdigest()[:16]

    def read(self, sample: int) -> tuple[bytes, np.ndarray]:
        """The picture's file, and the embedding [D]."""
        shard = int(np.searchsorted(self.ends, sample, side="right"))
        picture_at, picture_size, embedding_at, embedding_size = self.places[sample].tolist()
        file = self._file(shard)
        picture = os.pread(file.fileno(), picture_size, picture_at)
        packed = os.pread(file.fileno(), embedding_size, embedding_at)
        return picture, np.load(io.BytesIO(packed), allow_pickle=False)

    def describe(self, sample: int) -> str:
        """Where a sample lies, for whoever has to look for it."""
        shard = int(np.searchsorted(self.ends, sample, side="right"))
        return f"{self.paths[shard].name}, the sample at byte {self.places[sample, 0]}"

    def _file(self, shard: int) -> io.FileIO:
        if shard not in self._open:
            self._open[shard] = io.FileIO(self.paths[shard])
        return self._open[shard]

    def close_all_but(self, shards: set[int]) -> None:
        """Closes what will not be read again soon."""
        for shard in set(self._open) - shards:
            self._open.pop(shard).close()


def find(folder: Path, index: Path) -> Shards:
    """The shards of a folder. Where their samples lie is kept in the file `index`, for reading it takes a while."""
    paths = sorted(folder.glob("*.tar"))
    if not paths:
        raise ShardError(
            f"there are no shards (*.tar) in {folder}: `python -m training.sd15.prepare` makes them"
        )
    state = json.dumps([(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths])
    if index.is_file():
        with np.load(index) as kept:
            if str(kept["state"]) == state:
                return Shards(paths, kept["counts"], kept["places"])
    found = [np.array(list(_samples(path)), np.int64) for path in tqdm(paths, desc="indexing", unit="shard")]
    counts, places = np.array([len(samples) for samples in found]), np.concatenate(found)
    index.parent.mkdir(parents=True, exist_ok=True)
    partial = index.with_suffix(".partial.npz")
    np.savez(partial, state=state, counts=counts, places=places)
    partial.replace(index)
    return Shards(paths, counts, places)


def _samples(path: Path) -> Iterator[tuple[int, int, int, int]]:
    for key, files in members(path):
        picture = next((files[suffix] for suffix in PICTURES if suffix in files), None)
        if picture is None:
            raise ShardError(f"{path.name}: sample {key} has no picture ({', '.join(PICTURES)})")
        if EMBEDDING not in files:
            raise ShardError(
                f"{path.name}: sample {key} has no embedding ({EMBEDDING}); "
                f"`python -m training.sd15.prepare --pictures {path.parent}` computes it"
            )
        yield *picture, *files[EMBEDDING]


def members(path: Path) -> Iterator[tuple[str, dict[str, Place]]]:
    """The samples of a shard: each one's name, and the places of its files by the rest of their names."""
    key, files = None, {}
    try:
        with tarfile.open(path, "r:") as shard:
            for member in shard:
                if not member.isfile():
                    continue
                folder, _, name = member.name.rpartition("/")
                stem, _, suffix = name.partition(".")
                belongs = f"{folder}/{stem}" if folder else stem
                if belongs != key and files:
                    yield key, files
                    files = {}
                key = belongs
                files[suffix.lower()] = (member.offset_data, member.size)
    except tarfile.TarError as error:
        raise ShardError(f"{path} is not an uncompressed tar file: {error}") from error
    if files:
        yield key, files


class Order:
    """Which sample a row of the training is: every sample once in an epoch, in another order in each.

    Shards are shuffled, then the samples of `window` shards among each other, so that few files are read at a time. It
    is a function of seed and row number alone.
    """

    def __init__(self, shards: Shards, seed: int, window: int) -> None:
        self.shards, self.seed, self.window = shards, seed, window
        self._planned: tuple[int, int] | None = None
        self._samples = np.empty(0, np.int64)
        self._epoch: int | None = None

    def sample(self, row: int) -> int:
        """The sample of row 0, 1, 2 ..., without end."""
        epoch, place = divmod(row, len(self.shards))
        if epoch != self._epoch:
            self._plan_epoch(epoch)
        window = int(np.searchsorted(self._window_ends, place, side="right"))
        if (epoch, window) != self._planned:
            self._plan_window(epoch, window)
        return int(self._samples[place - self._window_ends[window]])  # counted from the window's end

    def _plan_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        self._shards = np.random.default_rng([self.seed, epoch]).permutation(len(self.shards.counts))
        sizes = self.shards.counts[self._shards]
        starts = np.arange(0, len(sizes), self.window)
        self._window_ends = np.add.reduceat(sizes, starts).cumsum()

    def _plan_window(self, epoch: int, window: int) -> None:
        self._planned = (epoch, window)
        chosen = self._shards[window * self.window : (window + 1) * self.window]
        ends = self.shards.ends[chosen]
        samples = np.concatenate(
            [np.arange(end - count, end) for end, count in zip(ends, self.shards.counts[chosen], strict=True)]
        )
        self._samples = np.random.default_rng([self.seed, epoch, window]).permutation(samples)
        self.shards.close_all_but(set(chosen.tolist()))
