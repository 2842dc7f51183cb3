"""Wraps a published ArcFace network to the contract's `arcface`: pixels in, embeddings [B,D] out.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", 2019; normalisation as in
insightface's arcface_onnx.py.
"""

from pathlib import Path

import numpy as np

from export.arc2face import published
from export.config import Tensor, write_config
from export.graph import Graph

MAX_BATCH = 16
SIDE = 112
DIVISOR = 127.5
RECOGNISER = "arcface-r100-antelopev2"
INPUTS = [Tensor("face", "UINT8", (SIDE, SIDE, 3))]


def export(source: Path, folder: Path, precision: str) -> list[str]:
    """Writes 1/model.onnx and config.pbtxt from arcface.onnx and says how good they are.

    `precision`, fp32 or fp16, is that of the network inside.
    """
    network = published.read(source, outputs=1)
    network.separate_rows()
    graph = Graph()
    face = graph.value("face")  # [B,112,112,3]
    [embedding] = network.apply(published.normalise(face, DIVISOR), precision)  # [B,D]
    graph.node("Identity", embedding, name="embedding")
    probe = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    [answer] = published.run(network.model, np.zeros((1, 3, SIDE, SIDE), np.float32))
    outputs = [Tensor("embedding", "FP32", answer.shape[1:])]
    path = folder / "1" / "model.onnx"
    graph.save(path, "arcface", INPUTS, outputs, network.licence)
    checks = [published.check(path, source, probe, DIVISOR, precision)]
    if precision == "fp16":
        checks.append(published.check_range(network, probe, DIVISOR))
    parameters = {
        "recogniser_id": network.metadata.get("recogniser_id", RECOGNISER),
        "licence": network.licence,
        "profile": "arc2face",
    }
    write_config(folder, "arcface", MAX_BATCH, INPUTS, outputs, parameters)
    return checks
