"""`export.arc2face.arcface` against insightface's own ArcFaceONNX class, and against itself in other company."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from insightface.model_zoo.arcface_onnx import ArcFaceONNX

from export.arc2face import arcface
from tests import pictures

CROPS = pictures.crops()


@pytest.fixture(scope="session")
def source(published: Path) -> Path:
    return published / "antelopev2" / "arcface.onnx"


@pytest.fixture(scope="session")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "arcface"
    arcface.export(source, folder, "fp32")
    return folder


def embed(folder: Path, crops: np.ndarray, threads: int = 1) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        folder / "1" / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"face": crops})[0]


def test_embeddings_equal_insightface(source: Path, exported: Path) -> None:
    expected = ArcFaceONNX(str(source)).get_feat([crop[..., ::-1] for crop in CROPS])
    deviation = np.abs(embed(exported, CROPS) - expected).max() / np.abs(expected).max()
    assert deviation < 1e-4


def test_random_embeddings_tell_crops_apart(exported: Path) -> None:
    embeddings = embed(exported, CROPS[:8])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    likeness = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    assert likeness.max() < 0.9
    assert 0.3 < embeddings.std() < 3


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_do_not_depend_on_their_batch(threads: int, exported: Path) -> None:
    alone = [embed(exported, crop[None])[0] for crop in CROPS]
    for size in range(2, min(len(CROPS), arcface.MAX_BATCH) + 1):
        for start in range(0, len(CROPS) - size + 1, size):
            for i, row in enumerate(embed(exported, CROPS[start : start + size], threads)):
                assert row.tobytes() == alone[start + i].tobytes(), f"row {start + i} in a batch of {size}"


def test_half_precision_embeds_alike(source: Path, exported: Path, tmp_path: Path) -> None:
    nearness, span = arcface.export(source, tmp_path, "fp16")
    assert float(nearness.split()[-2]) > 35
    assert "largest activation" in span
    weights = onnx.load(tmp_path / "1" / "model.onnx").graph.initializer
    assert {w.data_type for w in weights if len(w.dims) == 4} == {onnx.TensorProto.FLOAT16}
    full, half = (embed(folder, CROPS) for folder in (exported, tmp_path))
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


def test_weights_are_those_of_the_file(source: Path, exported: Path) -> None:
    def weights(path: Path) -> set[bytes]:
        return {w.raw_data for w in onnx.load(path).graph.initializer if len(w.raw_data) > 64}

    assert weights(source) <= weights(exported / "1" / "model.onnx")


def test_config_names_the_recogniser(source: Path, exported: Path, tmp_path: Path) -> None:
    assert 'string_value: "arcface-random-reduced"' in (exported / "config.pbtxt").read_text()
    model = onnx.load(source)
    del model.metadata_props[:]  # a file of unknown origin is the published one
    onnx.save(model, tmp_path / "arcface.onnx")
    arcface.export(tmp_path / "arcface.onnx", tmp_path / "arcface", "fp32")
    config = (tmp_path / "arcface" / "config.pbtxt").read_text()
    assert 'string_value: "arcface-r100-antelopev2"' in config
    assert "non-commercial" in config
