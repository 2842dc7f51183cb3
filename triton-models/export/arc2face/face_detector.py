"""Wraps a published SCRFD network to the contract's `face_detector`: pixels in, the best 64 faces out.

Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021; normalisation, anchors,
thresholds and non-maximum suppression as in insightface's scrfd.py.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export import boxes
from export.arc2face import published
from export.config import Tensor, write_config
from export.graph import Graph, Value

MAX_BATCH = 4
SIDE = 640  # where the file leaves it open
FACES = 64
DIVISOR = 128.0
SCORE_THRESHOLD = 0.5
IOU_THRESHOLD = 0.4
STRIDES = (8, 16, 32)
ANCHORS = 2  # at each place, of the same centre
VALUES = (1, 4, 10)  # score; distances to the sides; offsets of the landmarks
OUTPUTS = [
    Tensor("boxes", "FP32", (FACES, 4)),
    Tensor("scores", "FP32", (FACES,)),
    Tensor("landmarks", "FP32", (FACES, 5, 2)),
]


def export(source: Path, folder: Path, precision: str) -> list[str]:
    """Writes 1/model.onnx and config.pbtxt from scrfd_10g_bnkps.onnx and says how good they are.

    `precision`, fp32 or fp16, is that of the network inside; boxes are decoded and selected in FP32.
    """
    network = published.read(source, outputs=len(STRIDES) * len(VALUES))
    side = network.sides[0] or SIDE
    network.fix_resizes((side, side))
    inputs = [Tensor("image", "UINT8", (side, side, 3))]
    checks = _check(network, source, inputs, side, precision)
    graph = Graph()
    decode(_answers(graph, network, side, precision), side)
    graph.save(folder / "1" / "model.onnx", "face_detector", inputs, OUTPUTS, network.licence)
    parameters = {"score_threshold": str(SCORE_THRESHOLD), "licence": network.licence, "profile": "arc2face"}
    write_config(folder, "face_detector", MAX_BATCH, inputs, OUTPUTS, parameters)
    return checks


def decode(answers: Sequence[Value], side: int) -> None:
    """The nine answers of a network, [B,M,1], [B,M,4] and [B,M,10] at three strides each -> the graph's outputs.

    A box' sides and landmarks are given as distances from its anchor's centre, in units of the stride.
    """
    graph = answers[0].graph
    scores, distances, offsets = (answers[i : i + len(STRIDES)] for i in range(0, len(answers), len(STRIDES)))
    scores = graph.concat(*scores, axis=1).reshape(0, -1)  # [B,M]
    distances = graph.concat(*(d * float(s) for d, s in zip(distances, STRIDES, strict=True)), axis=1)
    offsets = graph.concat(*(o * float(s) for o, s in zip(offsets, STRIDES, strict=True)), axis=1)
    centres = _centres(side)  # [M,2]
    x, y = (graph.constant(axis) for axis in centres.T)
    left, top, right, bottom = (distances.take(i, 2) for i in range(4))
    corners = x - left, y - top, x + right, y + bottom
    landmarks = offsets.reshape(0, -1, 5, 2) + centres[:, None]  # [B,M,5,2]
    candidates = graph.node("Where", graph.node("GreaterOrEqual", scores, SCORE_THRESHOLD), scores, 0.0)
    best, best_scores = boxes.select(corners, candidates, IOU_THRESHOLD, FACES)  # [B,64]
    live = (best_scores > 0.0).unsqueeze(2)  # [B,64,1]
    best = best.unsqueeze(2)
    table = graph.concat(*(corner.unsqueeze(2) for corner in corners), axis=2)  # [B,M,4]
    found = graph.node("GatherND", table, best, batch_dims=1)  # [B,64,4]
    points = graph.node("GatherND", landmarks, best, batch_dims=1)  # [B,64,5,2]
    graph.node("Where", live, found, 0.0, name="boxes")
    graph.node("Identity", best_scores, name="scores")
    graph.node("Where", live.unsqueeze(3), points, 0.0, name="landmarks")


def _answers(graph: Graph, network: published.Network, side: int, precision: str) -> list[Value]:
    """What the network says of `image` [B,side,side,3]: nine tensors with a batch axis, as `decode` takes them."""
    image = graph.value("image")
    answers = network.apply(published.normalise(image, DIVISOR), precision)
    cells = [(side // stride) ** 2 for _ in VALUES for stride in STRIDES]
    values = [value for value in VALUES for _ in STRIDES]
    return [_by_picture(*answer) for answer in zip(answers, cells, values, strict=True)]


def _by_picture(answer: Value, cells: int, values: int) -> Value:
    """[cells*B*2,values], the batch between a cell and its anchors, as published -> [B,cells*2,values]."""
    return answer.reshape(cells, -1, ANCHORS * values).transpose(1, 0, 2).reshape(0, cells * ANCHORS, values)


def _centres(side: int) -> np.ndarray:
    """Each anchor's centre, [M,2] in pixels: the corner of its cell; row by row, the finest stride first."""
    places = [np.mgrid[:side:stride, :side:stride][::-1].reshape(2, -1).T for stride in STRIDES]
    return np.concatenate(places).repeat(ANCHORS, axis=0).astype(np.float32)


def _check(
    network: published.Network, source: Path, inputs: list[Tensor], side: int, precision: str
) -> list[str]:
    """Raises unless the network answers a batch as the published one answers each picture of it."""
    graph = Graph()
    cells = [(side // stride) ** 2 * ANCHORS for _ in VALUES for stride in STRIDES]
    outputs = []
    for number, answer in enumerate(_answers(graph, network, side, precision)):
        outputs.append(Tensor(f"answer_{number}", "FP32", (cells[number], VALUES[number // len(STRIDES)])))
        graph.node("Identity", answer, name=outputs[-1].name)
    pictures = np.random.default_rng(1).integers(0, 256, (2, side, side, 3), np.uint8)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "network.onnx"
        graph.save(path, "network", inputs, outputs, "")
        checks = [published.check(path, source, pictures, DIVISOR, precision)]
    if precision == "fp16":
        checks.append(published.check_range(network, pictures, DIVISOR))
    return checks
