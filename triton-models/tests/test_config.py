"""The configs that export writes must be read by Triton as they were meant."""

import hashlib
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from evaluation.faces import MODELS
from export.config import Tensor, write_config


def test_config_names_tensors_batch_and_hash(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.onnx").write_bytes(b"graph")
    sha256 = hashlib.sha256(b"graph").hexdigest()
    path = write_config(
        tmp_path,
        "arcface",
        16,
        [Tensor("face", "UINT8", (112, 112, 3))],
        [Tensor("embedding", "FP32", (256,))],
        {"recogniser_id": "tiny"},
    )
    assert path.read_text() == (
        'name: "arcface"\n'
        'backend: "onnxruntime"\n'
        "max_batch_size: 16\n"
        'input { name: "face" data_type: TYPE_UINT8 dims: [112, 112, 3] }\n'
        'output { name: "embedding" data_type: TYPE_FP32 dims: [256] }\n'
        "dynamic_batching {}\n"
        "instance_group { kind: KIND_CPU count: 1 }\n"
        f'parameters {{ key: "model_sha256" value {{ string_value: "{sha256}" }} }}\n'
        'parameters { key: "recogniser_id" value { string_value: "tiny" } }\n'
    )


def test_quotes_backslashes_newlines_and_other_alphabets_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.onnx").write_bytes(b"")
    text = write_config(tmp_path, "m", 1, [], [], {"json": '{"a": "b\\c"}\n\u00e9'}).read_text()
    assert r'string_value: "{\"a\": \"b\\c\"}\n\303\251"' in text


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/config.pbtxt")), ids=lambda path: path.parent.name)
def test_committed_config_is_of_the_committed_graph(path: Path) -> None:
    config = text_format.Parse(path.read_text(), ModelConfig())
    model = (path.parent / "1" / "model.onnx").read_bytes()
    assert config.name == path.parent.name
    assert config.parameters["model_sha256"].string_value == hashlib.sha256(model).hexdigest()
