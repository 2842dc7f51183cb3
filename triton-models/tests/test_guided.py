"""A step with its guidance inside must be two rows of the step outside, and the guidance between them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from onnxruntime import InferenceSession

from export import guided
from serving.triton import Options, Triton

MINI = Path(__file__).parents[1] / "mini"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = tmp_path_factory.mktemp("guided") / "mini"
    shutil.copytree(MINI, repository)
    guided.add(repository)
    return repository


def test_guided_rows_are_the_guidance_between_both_rows_of_the_unet(repository: Path) -> None:
    random = np.random.default_rng(5)
    embeddings = random.standard_normal((3, 256)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    encoder, unet, both = (
        InferenceSession(repository / name / "1" / "model.onnx")
        for name in ("encoder", "unet", "unet_guided")
    )
    context, negative = encoder.run(["context", "negative_context"], {"id_embedding": embeddings})
    latents = random.standard_normal((3, 4, 16, 16)).astype(np.float32)
    timestep = np.array([[981], [301.5], [1]], np.float32)
    guidance = np.array([[1.5], [3], [7]], np.float32)

    away, towards = (
        unet.run(None, {"latents": latents, "timestep": timestep, "context": rows})[0]
        for rows in (negative, context)
    )
    feed = {"latents": latents, "timestep": timestep, "context": context, "guidance": guidance}
    expected = away + guidance[:, :, None, None] * (towards - away)
    np.testing.assert_array_equal(both.run(None, feed)[0], expected)


def test_triton_serves_it_for_half_as_many_rows(repository: Path) -> None:
    config = (repository / "unet_guided" / "config.pbtxt").read_text()
    assert "max_batch_size: 8" in config
    assert 'output { name: "prediction" data_type: TYPE_FP32 dims: [4, 16, 16] }' in config
    with Triton(Options(repository=str(repository))) as triton:
        assert "unet_guided" in triton.listening.models
