"""A copy of a model repository whose `vae_decoder` writes the latents themselves into the picture's first pixels.

A PNG keeps every bit, so that a gateway's picture tells the final latents. A value x takes one pixel: 24 bits of
(x + 256) / 512, big endian.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx

from export.config import write_config
from export.graph import Graph, described
from export.repository import link

RANGE = 256.0  # those of random weights lie within -110..110, trained ones within -10..10
LEVELS = 1 << 24


def write(repository: Path, folder: Path) -> None:
    """Links all models but the decoder, and writes that."""
    shutil.rmtree(folder, ignore_errors=True)
    link(repository, folder, but="vae_decoder")
    served = onnx.load(repository / "vae_decoder" / "1" / "model.onnx", load_external_data=False).graph
    (latents,), (image,) = served.input, served.output
    inputs, outputs = [described(latents)], [described(image)]
    (channels, height, width), (rows, columns, _) = inputs[0].dims, outputs[0].dims

    graph = Graph()
    x = graph.value("latents").cast(np.float32).reshape(0, channels * height * width)
    scaled = graph.node("Round", (x + RANGE) * (LEVELS / (2 * RANGE)))
    level = graph.node("Clip", scaled, 0.0, float(LEVELS - 1)).cast(np.int64)
    high, middle, low = level / 65536, graph.node("Mod", level / 256, 256), graph.node("Mod", level, 256)
    pixels = graph.concat(high.unsqueeze(2), middle.unsqueeze(2), low.unsqueeze(2), axis=2)
    rest = rows * columns - channels * height * width
    padded = graph.node("Pad", pixels.cast(np.float32), np.array([0, 0, 0, 0, rest, 0]))
    graph.node("Cast", padded.reshape(0, rows, columns, 3), to=onnx.TensorProto.UINT8, name="image")
    graph.save(folder / "vae_decoder" / "1" / "model.onnx", "vae_decoder", inputs, outputs, "Apache-2.0")
    factors = {"factors": [[0, 0, 0]] * channels, "bias": [0.5] * 3}
    parameters = {"latent_rgb_factors": json.dumps(factors), "licence": "Apache-2.0"}
    write_config(folder / "vae_decoder", "vae_decoder", 4, inputs, outputs, parameters)


def read(pictures: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pictures [N,H,W,3] of the probe -> latents [N,*shape]."""
    values = int(np.prod(shape))
    pixels = pictures.reshape(len(pictures), -1, 3)[:, :values].astype(np.int64)
    level = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
    if level.min() == 0 or level.max() == LEVELS - 1:
        raise ValueError(f"latents beyond {RANGE}")
    return (level * (2 * RANGE / LEVELS) - RANGE).reshape(len(pictures), *shape)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m evaluation.parity.probe", description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    write(arguments.repository, arguments.folder)
