"""The command: from published files to a model repository, as a user runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import text_format
from huggingface_hub.errors import LocalEntryNotFoundError
from tritonclient.grpc.model_config_pb2 import ModelConfig

from export.arc2face import __main__ as command
from export.arc2face.layout import Layout
from export.config import model_sha256

MODELS = {"face_detector": 4, "arcface": 16, "encoder": 8, "unet": 16, "unet_lcm": 16, "vae_decoder": 4}


def run(*arguments: str | Path) -> None:
    command.main([str(argument) for argument in arguments])


def config(folder: Path) -> ModelConfig:
    return text_format.Parse((folder / "config.pbtxt").read_text(), ModelConfig())


def test_every_model_has_its_configuration(exported: Path) -> None:
    assert {path.name for path in exported.iterdir() if path.is_dir()} == set(MODELS)
    for name, batch in MODELS.items():
        model = config(exported / name)
        assert (model.name, model.max_batch_size) == (name, batch)
        assert model.parameters["profile"].string_value == "arc2face"
        assert model.parameters["licence"].string_value.startswith("random weights")
        assert model.parameters["model_sha256"].string_value == model_sha256(
            exported / name / "1" / "model.onnx"
        )


def test_tensors_fit_together(exported: Path) -> None:
    dims = {
        f"{name}.{tensor.name}": list(tensor.dims)
        for name in MODELS
        for model in [config(exported / name)]
        for tensor in (*model.input, *model.output)
    }
    assert dims["arcface.embedding"] == dims["encoder.id_embedding"] == [64]
    assert dims["encoder.context"] == dims["encoder.negative_context"] == dims["unet.context"] == [77, 96]
    assert dims["unet.latents"] == dims["unet.prediction"] == dims["vae_decoder.latents"] == [4, 16, 16]
    assert dims["unet_lcm.latents"] == [4, 16, 16]
    assert dims["unet.timestep"] == [1]
    assert dims["vae_decoder.image"] == [128, 128, 3]


def test_card_says_hashes_licences_and_what_was_checked(exported: Path) -> None:
    card = (exported / "MODEL_CARD.md").read_text()
    for name in MODELS:
        assert model_sha256(exported / name / "1" / "model.onnx") in card
        assert f"- `{name}`: random weights" in card
    for error in re.findall(r"(?:prediction|context): error ([\d.e+-]+)", card):
        assert float(error) <= 1e-4
    assert "arc2face/diffusion_pytorch_model.safetensors" in card


def test_finished_models_are_not_exported_again(
    exported: Path, published: Path, lora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graphs = [exported / name / "1" / "model.onnx" for name in MODELS]
    before = [graph.stat().st_mtime_ns for graph in graphs]
    (exported / "encoder" / "1" / "model.onnx").write_bytes(b"cut short")
    run("--source", published, "--out", exported, "--lcm-lora", lora)
    assert "(1 exported now)" in capsys.readouterr().out
    after = [graph.stat().st_mtime_ns for graph in graphs]
    assert [name for name, a, b in zip(MODELS, before, after, strict=True) if a != b] == ["encoder"]


def test_missing_files_are_an_error_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        SystemExit, match=r"error: .* lacks arc2face/config\.json, .*antelopev2/arcface\.onnx"
    ):
        run("--source", tmp_path, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_download_says_where_the_detector_comes_from(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"scrfd_10g_bnkps\.onnx out of antelopev2\.zip"):
        run("--download", "--out", tmp_path / "out")


def test_help_needs_no_weights() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "export.arc2face", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in ("--source", "--download", "--random-weights", "--precision", "--engine", "--lcm-lora"):
        assert option in shown


def test_file_that_cannot_be_fetched_is_named_with_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(repository: str, name: str, local_dir: Path) -> None:
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr("export.arc2face.download.hf_hub_download", refuse)
    layout = Layout(tmp_path / "out.published")
    layout.detector.parent.mkdir(parents=True)
    layout.detector.write_bytes(b"")
    with pytest.raises(SystemExit) as error:
        run("--download", "--out", tmp_path / "out")
    assert "arc2face/config.json of https://huggingface.co/FoivosPar/Arc2Face could not be fetched" in str(
        error.value
    )
    assert f"it belongs at {layout.unet / 'config.json'}" in str(error.value)
