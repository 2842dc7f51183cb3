"""`export.arc2face.arcface` against insightface's own ArcFaceONNX class, and against itself in other company."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from evaluation.parity.face_stage import FaceStage
from export.arc2face import arcface
from export.arc2face.layout import Layout
from tests import pictures
from tests.rows import check_rows_alone_and_together, session

CROPS = pictures.crops()


@pytest.fixture(scope="session")
def source(published: Path) -> Path:
    return Layout(published).recogniser


@pytest.fixture(scope="session")
def folder(exported: Path) -> Path:
    return exported / "arcface"


def embed(folder: Path, crops: np.ndarray) -> np.ndarray:
    return session(folder).run(None, {"face": crops})[0]


def test_embeddings_equal_insightface(insightface: FaceStage, folder: Path) -> None:
    expected = insightface.recogniser.get_feat([crop[..., ::-1] for crop in CROPS])
    deviation = np.abs(embed(folder, CROPS) - expected).max() / np.abs(expected).max()
    assert deviation < 1e-4


def test_random_embeddings_tell_crops_apart(folder: Path) -> None:
    embeddings = embed(folder, CROPS[:8])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    likeness = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    assert likeness.max() < 0.9
    assert 0.3 < embeddings.std() < 3


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_do_not_depend_on_their_batch(threads: int, folder: Path) -> None:
    check_rows_alone_and_together(folder, CROPS, arcface.MAX_BATCH, threads)


def test_half_precision_embeds_alike(source: Path, folder: Path, tmp_path: Path) -> None:
    # An export of its own: what it says of itself is looked at.
    nearness, span = arcface.export(source, tmp_path, "fp16")
    assert float(nearness.split()[-2]) > 35
    assert "largest activation" in span
    weights = onnx.load(tmp_path / "1" / "model.onnx").graph.initializer
    assert {w.data_type for w in weights if len(w.dims) == 4} == {onnx.TensorProto.FLOAT16}
    full, half = (embed(model, CROPS) for model in (folder, tmp_path))
    assert half.dtype == np.float32
    likeness = (full * half).sum(1) / np.linalg.norm(full, axis=1) / np.linalg.norm(half, axis=1)
    assert likeness.min() > 0.999


def test_what_half_precision_cannot_hold_is_refused(source: Path, tmp_path: Path) -> None:
    model = onnx.load(source)
    [norm] = [node for node in model.graph.node if node.output[0] == model.graph.output[0].name]
    [mean] = [weight for weight in model.graph.initializer if weight.name == norm.input[3]]
    mean.CopyFrom(onnx.numpy_helper.from_array(np.full(mean.dims, 1e5, np.float32), mean.name))
    onnx.save(model, tmp_path / "arcface.onnx")
    with pytest.raises(ValueError, match="too large for FP16"):
        arcface.export(tmp_path / "arcface.onnx", tmp_path / "arcface", "fp16")


def test_weights_are_those_of_the_file(source: Path, folder: Path) -> None:
    def weights(path: Path) -> set[bytes]:
        return {w.raw_data for w in onnx.load(path).graph.initializer if len(w.raw_data) > 64}

    assert weights(source) <= weights(folder / "1" / "model.onnx")


def test_config_names_the_recogniser(source: Path, folder: Path, tmp_path: Path) -> None:
    assert 'string_value: "arcface-random-reduced"' in (folder / "config.pbtxt").read_text()
    model = onnx.load(source)
    del model.metadata_props[:]  # a file of unknown origin is the published one
    onnx.save(model, tmp_path / "arcface.onnx")
    arcface.export(tmp_path / "arcface.onnx", tmp_path / "arcface", "fp32")
    config = (tmp_path / "arcface" / "config.pbtxt").read_text()
    assert 'string_value: "arcface-r100-antelopev2"' in config
    assert "non-commercial" in config
