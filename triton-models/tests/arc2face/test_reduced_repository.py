"""Every model of the reduced export, for every engine: what can be told of a GPU's without one."""

import shutil
import subprocess
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInstanceGroup

from export.arc2face import __main__ as command
from export.arc2face import engines, tensorrt
from export.config import model_sha256, serve_with
from tests.arc2face.standins import Machine

MODELS = ("arcface", "encoder", "face_detector", "unet", "unet_lcm", "vae_decoder")
KINDS = {"cpu": "KIND_CPU", "onnxruntime": "KIND_AUTO", "tensorrt": "KIND_GPU"}


def config_of(folder: Path) -> ModelConfig:
    """Parsed as Triton does: a field that it does not know is an error."""
    return text_format.Parse((folder / "config.pbtxt").read_text(), ModelConfig())


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def precision(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def repository(
    exported: Path, published: Path, lora: Path, precision: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The reduced export, unet_lcm too. Not to be changed."""
    if precision == "fp32":
        return exported
    folder = tmp_path_factory.mktemp(precision) / "arc2face"
    options = ["--source", published, "--lcm-lora", lora, "--precision", precision, "--out", folder]
    command.main([str(option) for option in options])
    return folder


@pytest.fixture(scope="module")
def for_tensorrt(repository: Path, precision: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = Path(shutil.copytree(repository, tmp_path_factory.mktemp("engines") / precision))
    engines.write_build_script(out, precision)
    return out


@pytest.mark.parametrize("model", MODELS)
def test_tensorrt_takes_the_graph(repository: Path, model: str) -> None:
    graph = tensorrt.load(repository / model / "1" / "model.onnx")
    for rows in (1, 2, 3, config_of(repository / model).max_batch_size):
        sized = tensorrt.at_batch(graph, rows)
        assert tensorrt.refusals(sized) == []
        assert tensorrt.unknown_shapes(sized) == []
        batches = {
            tensor.type.tensor_type.shape.dim[0].dim_value
            for tensor in (*sized.graph.input, *sized.graph.output)
        }
        assert batches == {rows}


@pytest.mark.parametrize("engine", KINDS)
@pytest.mark.parametrize("model", MODELS)
def test_configuration_says_what_the_graph_says(
    repository: Path, for_tensorrt: Path, model: str, engine: str, tmp_path: Path
) -> None:
    folder = for_tensorrt / model
    if engine != "tensorrt":
        folder = tmp_path / model
        shutil.copytree(repository / model, folder, ignore=shutil.ignore_patterns("1"))
        serve_with(folder, engine)
    config = config_of(folder)

    graph = tensorrt.at_batch(tensorrt.load(repository / model / "1" / "model.onnx"), 1).graph
    for ours, theirs in ((config.input, graph.input), (config.output, graph.output)):
        said = [(t.name, DataType.Name(t.data_type), list(t.dims)) for t in ours]
        is_so = [(t.name, f"TYPE_{t.data_type}", list(t.dims)) for t in engines.signature(theirs)]
        assert said == is_so
    assert config.name == model
    assert config.backend == ("tensorrt" if engine == "tensorrt" else "onnxruntime")
    (group,) = config.instance_group
    assert (ModelInstanceGroup.Kind.Name(group.kind), group.count) == (KINDS[engine], 1)
    assert config.HasField("dynamic_batching")
    assert config.parameters["model_sha256"].string_value == model_sha256(
        repository / model / "1" / "model.onnx"
    )


@pytest.mark.parametrize("precision", ["fp16"], indirect=True)
def test_engines_are_planned_for_every_model_and_checked(for_tensorrt: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    done = subprocess.run(
        [for_tensorrt / "build-engines"], env=machine.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for model in MODELS:
        most = config_of(for_tensorrt / model).max_batch_size
        assert f"{model}: built" in done.stdout
        assert f"{model}, 1 rows, " in done.stdout
        assert f"{model}, {most} rows, " in done.stdout
    assert "TOO FAR" not in done.stdout
