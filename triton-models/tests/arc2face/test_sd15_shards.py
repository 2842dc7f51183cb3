"""Shards are read as the webdataset package reads them, and rows depend on nothing but their number."""

import io
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import webdataset
from PIL import Image

from tests.arc2face import faces_to_train_on as faces
from training.sd15 import shards
from training.sd15.recipe import Recipe
from training.sd15.rows import Batches, Rows, decode
from training.sd15.shards import Order, ShardError

RECIPE = Recipe(
    epochs=1, resolution=64, batch=4, unet_learning_rate=1e-6, encoder_learning_rate=1e-6, shuffled_shards=2
)
COUNT = faces.SHARDS * faces.SAMPLES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return faces.write(tmp_path / "shards")


@pytest.fixture
def found(folder: Path) -> shards.Shards:
    return shards.find(folder, folder.parent / "index.npz")


def test_samples_are_those_that_webdataset_reads(folder: Path, found: shards.Shards) -> None:
    urls = [str(path) for path in found.paths]
    reference = list(webdataset.WebDataset(urls, shardshuffle=False).decode())
    packed = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert len(found) == len(reference) == COUNT
    for sample, (decoded, raw) in enumerate(zip(reference, packed, strict=True)):
        picture, embedding = found.read(sample)
        assert picture == raw["png"]
        np.testing.assert_array_equal(embedding, decoded["npy"])


def test_where_samples_lie_is_kept_until_a_shard_changes(folder: Path) -> None:
    index = folder.parent / "index.npz"
    first = shards.find(folder, index)
    written = index.stat().st_mtime_ns
    assert shards.find(folder, index).fingerprint == first.fingerprint
    assert index.stat().st_mtime_ns == written
    (folder / "faces-0.tar").unlink()
    changed = shards.find(folder, index)
    assert len(changed) == COUNT - faces.SAMPLES
    assert changed.fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"png": b"x"}, r"sample a has no embedding \(npy\); `python -m training\.sd15\.prepare"),
        ({"npy": b"x"}, "sample a has no picture"),
    ],
)
def test_sample_that_lacks_a_file_is_named(folder: Path, files: dict[str, bytes], fault: str) -> None:
    with webdataset.TarWriter(str(folder / "more.tar"), encoder=False) as tar:
        tar.write({"__key__": "a", **files})
    with pytest.raises(ShardError, match=f"more.tar: {fault}"):
        shards.find(folder, folder.parent / "index.npz")


def test_folder_without_shards_and_packed_shards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="there are no shards"):
        shards.find(tmp_path, tmp_path / "index.npz")
    with tarfile.open(tmp_path / "packed.tar", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a.png"), io.BytesIO())
    with pytest.raises(ShardError, match="not an uncompressed tar"):
        shards.find(tmp_path, tmp_path / "index.npz")


def test_an_epoch_has_every_sample_once_and_the_next_another_order(found: shards.Shards) -> None:
    order = Order(found, seed=1, window=2)
    epochs = [[order.sample(row) for row in range(epoch * COUNT, (epoch + 1) * COUNT)] for epoch in range(3)]
    for samples in epochs:
        assert sorted(samples) == list(range(COUNT))
        first_window = {sample // faces.SAMPLES for sample in samples[: 2 * faces.SAMPLES]}
        assert len(first_window) == 2  # no more shards are read at a time
    assert epochs[0] != epochs[1] != epochs[2]


def test_order_can_be_entered_anywhere(found: shards.Shards) -> None:
    straight = Order(found, seed=1, window=2)
    wanted = [straight.sample(row) for row in range(2 * COUNT)]
    for row in np.random.default_rng(0).permutation(2 * COUNT):
        assert Order(found, seed=1, window=2).sample(int(row)) == wanted[row]
    other = Order(found, seed=2, window=2)
    assert [other.sample(row) for row in range(2 * COUNT)] != wanted


@pytest.mark.parametrize(("rows", "processes"), [(1, 1), (2, 2), (1, 4)])
def test_processes_share_the_batches_of_one(rows: int, processes: int) -> None:
    whole = list(Batches(3, 6, 4, 4, 0, 1))
    assert [row for batch in whole for row in batch] == list(range(12, 24))
    parts = [Batches(3, 6, 4, rows, process, processes) for process in range(processes)]
    assert {len(list(part)) for part in parts} == {len(parts[0])}
    passes = 4 // (rows * processes)
    for step, batch in enumerate(whole):
        shared = [row for part in parts for piece in list(part)[step * passes :][:passes] for row in piece]
        assert sorted(shared) == batch


def test_row_is_the_same_for_whoever_asks(found: shards.Shards) -> None:
    for row in (0, 7, 29):
        one, other = Rows(found, RECIPE, faces.EMBEDDING)[row], Rows(found, RECIPE, faces.EMBEDDING)[row]
        for name, value in one.items():
            assert torch.equal(value, other[name])
        assert one["embedding"].norm().item() == pytest.approx(1)
        assert one["noise"].shape == one["posterior"].shape == (4, 8, 8)


def test_chance_is_what_the_recipe_says(found: shards.Shards) -> None:
    rows = Rows(found, RECIPE, faces.EMBEDDING)
    drawn = [rows[row] for row in range(600)]
    noise = torch.stack([row["noise"] for row in drawn])
    assert abs(noise.mean()) < 0.01
    assert noise.std().item() == pytest.approx(1, abs=0.01)
    assert not torch.equal(drawn[0]["noise"], drawn[0]["posterior"])
    timesteps = torch.stack([row["timestep"] for row in drawn])
    assert timesteps.min() < 20
    assert timesteps.max() >= 980
    assert timesteps.float().mean().item() == pytest.approx(499.5, abs=50)
    conditional = Counter(bool(row["conditional"]) for row in drawn)
    assert conditional[False] / 600 == pytest.approx(RECIPE.unconditional, abs=0.04)


def test_picture_is_its_middle_square() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "png")
    middle = torch.from_numpy(pixels[:, 16:80]).permute(2, 0, 1).float()
    torch.testing.assert_close((decode(packed.getvalue(), 64) + 1) * 127.5, middle, atol=1e-4, rtol=0)
    smaller = Image.fromarray(pixels[:, 16:80]).resize((32, 32), Image.Resampling.LANCZOS)
    wanted = torch.from_numpy(np.array(smaller)).permute(2, 0, 1).float()
    torch.testing.assert_close((decode(packed.getvalue(), 32) + 1) * 127.5, wanted, atol=1e-4, rtol=0)


def test_broken_samples_are_named(folder: Path) -> None:
    with webdataset.TarWriter(str(folder / "faces-0.tar"), encoder=False) as tar:
        bad = io.BytesIO()
        np.save(bad, np.zeros(faces.EMBEDDING, np.float32))
        tar.write({"__key__": "a", "png": b"no picture", "npy": bad.getvalue()})
    (folder / "faces-1.tar").unlink()
    (folder / "faces-2.tar").unlink()
    found = shards.find(folder, folder.parent / "index.npz")
    with pytest.raises(
        ShardError, match=r"faces-0\.tar, the sample at byte .*: its embedding has no direction"
    ):
        Rows(found, RECIPE, faces.EMBEDDING)[0]
    with pytest.raises(ShardError, match=r"its embedding is \[64\], the recogniser's are \[512\]"):
        Rows(found, RECIPE, 512)[0]
