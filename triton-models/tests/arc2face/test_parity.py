"""The parity run's own instruments; the run itself needs a gateway (`make parity`)."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from skimage.metrics import peak_signal_noise_ratio

from evaluation.parity import probe
from evaluation.parity.psnr import psnr
from export.config import Tensor, write_config
from export.graph import Graph

LATENTS = (4, 16, 16)


def test_psnr_is_scikit_images() -> None:
    random = np.random.default_rng(0)
    first = random.integers(0, 256, (32, 32, 3), np.uint8)
    second = np.clip(first + random.integers(-9, 10, first.shape), 0, 255).astype(np.uint8)
    assert psnr(first, second) == pytest.approx(peak_signal_noise_ratio(first, second, data_range=255))
    assert psnr(first, first) == np.inf


def test_probe_hands_out_the_latents(tmp_path: Path) -> None:
    decoder = Graph()
    decoder.node(
        "Cast",
        decoder.value("latents").reshape(0, -1).take(np.zeros((128, 128, 3), np.int64), 1),
        to=2,
        name="image",
    )
    inputs, outputs = [Tensor("latents", "FP32", LATENTS)], [Tensor("image", "UINT8", (128, 128, 3))]
    folder = tmp_path / "models" / "vae_decoder"
    decoder.save(folder / "1" / "model.onnx", "vae_decoder", inputs, outputs, "Apache-2.0")
    write_config(folder, "vae_decoder", 4, inputs, outputs, {})
    probe.write(tmp_path / "models", tmp_path / "probe")

    latents = np.random.default_rng(0).normal(0, 40, (3, *LATENTS)).astype(np.float32)
    session = onnxruntime.InferenceSession(tmp_path / "probe" / "vae_decoder" / "1" / "model.onnx")
    (pictures,) = session.run(None, {"latents": latents})
    assert pictures.shape == (3, 128, 128, 3)
    np.testing.assert_allclose(probe.read(pictures, LATENTS), latents, atol=512 / 2**24)


def test_probe_says_where_latents_do_not_fit() -> None:
    with pytest.raises(ValueError, match="beyond"):
        probe.read(np.zeros((1, 128, 128, 3), np.uint8), LATENTS)
