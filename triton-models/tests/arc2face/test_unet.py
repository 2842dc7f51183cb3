"""The exported step must be diffusers' UNet, each row at a timestep of its own."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from diffusers import UNet2DConditionModel

from export.arc2face import traced, unet
from export.arc2face.layout import Layout
from export.arc2face.unet import fuse_lora

TYPES = {"fp32": np.float32, "fp16": np.float16}


@pytest.fixture(scope="module")
def folder(exported: Path) -> Path:
    return exported / "unet"


@pytest.fixture(scope="module")
def session(folder: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(folder / "1" / "model.onnx")


def inputs(rows: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    return {
        "latents": random.standard_normal((rows, 4, 16, 16), np.float32),
        "timestep": np.linspace(999, 0.5, rows, dtype=np.float32)[:, None],
        "context": random.standard_normal((rows, 77, 96), np.float32),
    }


@torch.inference_mode()
def predict(network: UNet2DConditionModel, feed: dict[str, np.ndarray]) -> np.ndarray:
    """Row by row, each with its own timestep as diffusers takes it: one number."""
    latents, timesteps, context = map(torch.from_numpy, feed.values())
    rows = [network(latents[[i]], timesteps[i, 0], context[[i]]).sample for i in range(len(latents))]
    return torch.cat(rows).numpy()


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)


def test_prediction_is_diffusers(session: onnxruntime.InferenceSession, published: Path) -> None:
    network = UNet2DConditionModel.from_pretrained(Layout(published).unet)
    feed = inputs(3)
    assert_close(session.run(None, feed)[0], predict(network, feed))


def test_rows_do_not_depend_on_their_batch_nor_on_others_timesteps(
    session: onnxruntime.InferenceSession,
) -> None:
    feed = inputs(unet.MAX_BATCH)
    alone = [session.run(None, {k: x[i : i + 1] for k, x in feed.items()})[0] for i in range(unet.MAX_BATCH)]
    for count in (2, 3, 5, 8, unet.MAX_BATCH):
        (together,) = session.run(None, {name: array[:count] for name, array in feed.items()})
        assert together.tobytes() == np.concatenate(alone[:count]).tobytes(), f"{count} rows"


def test_timestep_matters(session: onnxruntime.InferenceSession) -> None:
    feed = inputs(1)
    later = {**feed, "timestep": feed["timestep"] - 20}
    assert np.abs(session.run(None, feed)[0] - session.run(None, later)[0]).max() > 0.1


def test_same_weights_give_the_same_file(folder: Path, published: Path, tmp_path: Path) -> None:
    again = tmp_path / "unet"
    unet.export(Layout(published), again, "fp32", {})
    assert (again / "1" / "model.onnx").read_bytes() == (folder / "1" / "model.onnx").read_bytes()


def test_half_precision_is_of_weights_and_tensors_but_not_of_timesteps(
    published: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "unet"
    (check,) = unet.export(Layout(published), folder, "fp16", {})
    assert check.psnr >= 35
    graph = onnx.load(folder / "1" / "model.onnx").graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)}
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    assert types == {"latents": half, "timestep": single, "context": half, "prediction": half}
    sizes = {
        kind: sum(np.prod(w.dims) for w in graph.initializer if w.data_type == kind)
        for kind in (half, single)
    }
    assert sizes[half] > 50 * sizes[single]


def test_lora_is_in_the_variant(exported: Path, published: Path, lora: Path) -> None:
    folder, feed = exported / "unet_lcm", inputs(2)
    network = UNet2DConditionModel.from_pretrained(Layout(published).unet)
    base = predict(network, feed)
    fuse_lora(network, lora)
    (ours,) = onnxruntime.InferenceSession(folder / "1" / "model.onnx").run(None, feed)
    assert_close(ours, predict(network, feed))
    assert np.abs(ours - base).max() > 0.1 * np.abs(base).max()
    config = (folder / "config.pbtxt").read_text()
    for key, value in {"default_scheduler": "lcm", "default_steps": "4", "default_guidance": "1.0"}.items():
        assert f'key: "{key}" value {{ string_value: "{value}" }}' in config


def test_graph_that_computes_something_else_is_refused(published: Path, tmp_path: Path) -> None:
    checks = [traced.Check("prediction", 2e-4, 90.0, 0.0)]
    with pytest.raises(traced.WrongGraphError, match=r"prediction: error 2\.0e-04"):
        traced.judge(tmp_path / "model.onnx", checks, ["FP32"], "fp32")


def test_weights_beyond_a_protobufs_size_go_into_one_file(folder: Path, tmp_path: Path) -> None:
    """torch writes a file for each weight of a graph that is too long."""
    scattered, big = tmp_path / "scattered" / "model.onnx", tmp_path / "unet"
    scattered.parent.mkdir()
    model = onnx.load(folder / "1" / "model.onnx")
    onnx.save(model, scattered, save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=64)
    big.mkdir()
    path = traced.write(scattered, big)
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.onnx", "model.onnx.data"]
    feed = inputs(2)
    expected = onnxruntime.InferenceSession(folder / "1" / "model.onnx").run(None, feed)[0]
    assert onnxruntime.InferenceSession(path).run(None, feed)[0].tobytes() == expected.tobytes()
