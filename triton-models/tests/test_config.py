"""The configs that export writes must be read by Triton as they were meant."""

import hashlib
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInstanceGroup

from evaluation.faces import MODELS
from export.config import Tensor, model_sha256, serve_with, write_config


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


def test_hash_covers_external_data_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("model.onnx.data-2", "model.onnx", "model.onnx.data-1", "model.plan"):
        (tmp_path / name).write_text(f"<{name}>")
    expected = hashlib.sha256(b"<model.onnx><model.onnx.data-1><model.onnx.data-2>").hexdigest()
    assert model_sha256(tmp_path / "model.onnx") == expected


def test_engines_are_exchanged_and_the_contract_stays(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.onnx").write_bytes(b"graph")
    latents = Tensor("latents", "FP16", (4, 64, 64))
    config = write_config(tmp_path, "unet", 16, [latents], [latents], {"profile": "arc2face"})
    on_cpu = config.read_text()

    serve_with(tmp_path, "onnxruntime")
    on_gpu_or_cpu = text_format.Parse(config.read_text(), ModelConfig())
    assert on_gpu_or_cpu.backend == "onnxruntime"
    assert on_gpu_or_cpu.instance_group[0].kind == ModelInstanceGroup.KIND_AUTO
    (accelerator,) = on_gpu_or_cpu.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "cuda"

    serve_with(tmp_path, "tensorrt", cuda_graphs=[1, 2])
    on_tensorrt = text_format.Parse(config.read_text(), ModelConfig())
    assert on_tensorrt.backend == "tensorrt"
    assert on_tensorrt.instance_group[0].kind == ModelInstanceGroup.KIND_GPU
    assert on_tensorrt.optimization.cuda.graphs
    assert [spec.batch_size for spec in on_tensorrt.optimization.cuda.graph_spec] == [1, 2]
    assert not on_tensorrt.optimization.HasField("execution_accelerators")

    for other in (on_gpu_or_cpu, on_tensorrt):
        for field in ("backend", "instance_group", "optimization"):
            other.ClearField(field)
    assert on_gpu_or_cpu == on_tensorrt
    assert on_tensorrt.dynamic_batching.ByteSize() == 0, "any number of rows makes a batch"

    serve_with(tmp_path, "cpu")
    assert config.read_text() == on_cpu


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/config.pbtxt")), ids=lambda path: path.parent.name)
def test_committed_config_is_what_would_be_written(path: Path, tmp_path: Path) -> None:
    config = text_format.Parse(path.read_text(), ModelConfig())
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.onnx").symlink_to(path.parent / "1" / "model.onnx")
    inputs, outputs = (
        [Tensor(t.name, DataType.Name(t.data_type).removeprefix("TYPE_"), tuple(t.dims)) for t in side]
        for side in (config.input, config.output)
    )
    parameters = {key: value.string_value for key, value in config.parameters.items()}
    written = write_config(tmp_path, config.name, config.max_batch_size, inputs, outputs, parameters)
    assert written.read_text() == path.read_text()


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
