"""Pictures become shards whose embeddings are insightface's."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import webdataset
from PIL import Image

from evaluation.parity.face_stage import FaceStage
from export.arc2face.layout import MissingFilesError
from export.arc2face.preflight import UnfitError
from tests import pictures
from training.sd15 import shards
from training.sd15.prepare import DETECTOR_SIDE, prepare

ALONE = {"part": (0, 1), "per_shard": 3, "least_side": 256}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    squares = pictures.squares()
    for name in ("whole", "mirrored", "close", "four"):
        Image.fromarray(squares[name]).save(folder / "below" / f"{name}.png")
    Image.fromarray(squares["black"]).save(folder / "no-face.png")
    Image.fromarray(squares["whole"][:200, :200]).save(folder / "small.png")
    (folder / "text.jpg").write_text("no picture")
    (folder / "notes.txt").write_text("not looked at")
    return folder


def test_every_picture_is_taken_or_counted(
    photos: Path, published: Path, insightface: FaceStage, tmp_path: Path
) -> None:
    counts = prepare(photos, published, tmp_path / "out", **ALONE)
    assert counts == {"taken": 4, "no face": 1, "too small": 1, "unreadable": 1}
    (card,) = (tmp_path / "out").glob("card-*.json")
    assert json.loads(card.read_text())["counts"] == counts
    found = shards.find(tmp_path / "out", tmp_path / "index.npz")
    assert found.counts.tolist() == [3, 1]
    for sample, path in enumerate(sorted((photos / "below").iterdir())):
        picture, embedding = found.read(sample)
        assert picture == path.read_bytes()
        np.testing.assert_allclose(embedding, insightface.embed(picture, DETECTOR_SIDE), rtol=1e-5)


def test_parts_share_the_pictures(photos: Path, published: Path, tmp_path: Path) -> None:
    whole = prepare(photos, published, tmp_path / "whole", **ALONE)
    parts = [
        prepare(photos, published, tmp_path / "parts", **{**ALONE, "part": (part, 2)}) for part in (0, 1)
    ]
    assert parts[0] + parts[1] == whole
    found = shards.find(tmp_path / "parts", tmp_path / "index.npz")
    assert len({found.read(sample)[0] for sample in range(len(found))}) == len(found) == 4


def test_interrupted_preparation_ends_as_the_uninterrupted(
    photos: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(photos, published, tmp_path / "whole", **ALONE)
    seen = []

    def fail_at_the_last(self: FaceStage, *arguments: object) -> np.ndarray | None:
        seen.append(arguments)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return embed(self, *arguments)

    embed = FaceStage.embed
    monkeypatch.setattr(FaceStage, "embed", fail_at_the_last)
    with pytest.raises(KeyboardInterrupt):
        prepare(photos, published, tmp_path / "out", **ALONE)
    assert len(list((tmp_path / "out").glob("*.tar"))) == 1
    prepare(photos, published, tmp_path / "out", **ALONE)
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_shards_keep_the_embeddings_that_they_bring(
    photos: Path, published: Path, insightface: FaceStage, tmp_path: Path
) -> None:
    given = np.random.default_rng(0).standard_normal(64)
    packed = io.BytesIO()
    Image.open(photos / "below" / "whole.png").save(packed, "png")
    (tmp_path / "tars").mkdir()
    with webdataset.TarWriter(str(tmp_path / "tars" / "a.tar")) as tar:
        tar.write({"__key__": "with", "png": packed.getvalue(), "npy": given})
        tar.write({"__key__": "without", "png": packed.getvalue()})
    prepare(tmp_path / "tars", published, tmp_path / "out", **ALONE)
    found = shards.find(tmp_path / "out", tmp_path / "index.npz")
    np.testing.assert_allclose(found.read(0)[1], given / np.linalg.norm(given), rtol=1e-5)
    np.testing.assert_allclose(
        found.read(1)[1], insightface.embed(packed.getvalue(), DETECTOR_SIDE), rtol=1e-5
    )

    with webdataset.TarWriter(str(tmp_path / "tars" / "b.tar")) as tar:
        tar.write({"__key__": "wrong", "png": packed.getvalue(), "npy": given[:32]})
    with pytest.raises(
        UnfitError, match=r"b\.tar: wrong: its embedding is \[32\], the recogniser's are \[64\]"
    ):
        prepare(tmp_path / "tars", published, tmp_path / "again", **ALONE)


def test_missing_face_networks_are_named(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match=r"scrfd_10g_bnkps\.onnx and no .*arcface\.onnx"):
        prepare(photos, tmp_path, tmp_path / "out", **ALONE)
