"""Converts MTCNN (facenet-pytorch) to the contract's `face_detector`: the whole cascade as one ONNX graph.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks", 2016; the
details (thresholds, rounding of boxes, area resampling) are those of facenet_pytorch's detect_face.py.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import torch

from export import area, boxes, originals
from export.config import Tensor, write_config
from export.graph import Graph, Value

LICENCE = "MIT; MTCNN weights of facenet-pytorch 2.6.0 by Timothy Esler"
MAX_BATCH = 4
SIZE = 320
FACES = 64
INPUTS = [Tensor("image", "UINT8", (SIZE, SIZE, 3))]
OUTPUTS = [
    Tensor("boxes", "FP32", (FACES, 4)),
    Tensor("scores", "FP32", (FACES,)),
    Tensor("landmarks", "FP32", (FACES, 5, 2)),
]

SMALLEST_FACE = 20  # pixels of the square
PYRAMID_FACTOR = 0.709
THRESHOLDS = (0.6, 0.7, 0.7)
# MTCNN wants to see what is around a face: of one that fills its picture it places nose and mouth wrongly.
BORDER_FROM = 0.75
MOST_PROPOSALS = 1024  # a picture; facenet-pytorch sets no limit. A face takes some 15 of these
MOST_REFINED = 384  # and 6 of these

Weights = dict[str, np.ndarray]


def convert(folder: Path) -> None:
    """Writes 1/model.onnx and config.pbtxt."""
    graph = Graph()
    image = graph.value("image")  # [B,320,320,3]
    pictures = graph.node("Shape", image).take(0, 0)  # B
    sums = area.integral(image)
    proposed, picture = _propose(sums, pictures, _weights("pnet"))
    refined, picture = _refine(sums, pictures, proposed, picture, _weights("rnet"))
    found, scores, landmarks, picture = _output(sums, refined, picture, _weights("onet"))
    _rank(found, boxes.scores_by_picture(scores, picture, pictures), landmarks)
    graph.save(folder / "1" / "model.onnx", "face_detector", INPUTS, OUTPUTS, LICENCE)
    parameters = {
        "score_threshold": str(THRESHOLDS[2]),
        "border_from": str(BORDER_FROM),
        "licence": LICENCE,
    }
    write_config(folder, "face_detector", MAX_BATCH, INPUTS, OUTPUTS, parameters)


def _propose(sums: Value, pictures: Value, weights: Weights) -> tuple[Value, Value]:
    """P-Net over the pyramid: square candidate boxes [M,4] and their picture [M]."""
    graph = sums.graph
    every_box, every_offset, every_score, every_picture = [], [], [], []
    for scale in _pyramid():
        image = _normalise(area.shrink(sums, SIZE, int(SIZE * scale + 1)))
        x = _stage(image, weights, 1, pool=(2, 2))
        x = _stage(_stage(x, weights, 2), weights, 3)
        probability = graph.node("Softmax", _cells(_convolve(x, weights, "conv4_1"), 2), axis=2).take(1, 2)
        offsets = _cells(_convolve(x, weights, "conv4_2"), 4)
        windows = _windows(scale)
        picture, window = boxes.suppress(
            graph.constant(windows), probability, iou=0.5, threshold=THRESHOLDS[0], limit=len(windows)
        )
        row = picture * len(windows) + window
        every_box.append(graph.constant(windows).take(window, 0))
        every_offset.append(offsets.reshape(-1, 4).take(row, 0))
        every_score.append(probability.reshape(-1).take(row, 0))
        every_picture.append(picture)
    candidates = graph.concat(*every_box, axis=0)
    scores = boxes.scores_by_picture(
        graph.concat(*every_score, axis=0), graph.concat(*every_picture, axis=0), pictures
    )
    picture, best = boxes.suppress(candidates, scores, iou=0.7, threshold=THRESHOLDS[0], limit=MOST_PROPOSALS)
    offsets = graph.concat(*every_offset, axis=0).take(best, 0)
    return boxes.square(boxes.regress(candidates.take(best, 0), offsets, extra=0.0)), picture


def _refine(
    sums: Value, pictures: Value, proposed: Value, picture: Value, weights: Weights
) -> tuple[Value, Value]:
    """R-Net on 24x24 crops: fewer and better square boxes, and their picture."""
    crops, proposed, picture = _crops(sums, proposed, picture, 24)
    x = _stage(crops, weights, 1, pool=(3, 2))
    x = _stage(x, weights, 2, pool=(3, 2))
    x = _stage(x, weights, 3)  # [M,64,3,3]
    x = _prelu(_dense_over(x, weights, "dense4"), weights, "prelu4")
    scores = boxes.scores_by_picture(_probability(x, weights, "dense5_1"), picture, pictures)
    offsets = _dense(x, weights, "dense5_2")
    picture, best = boxes.suppress(proposed, scores, iou=0.7, threshold=THRESHOLDS[1], limit=MOST_REFINED)
    return boxes.square(boxes.regress(proposed.take(best, 0), offsets.take(best, 0), extra=1.0)), picture


def _output(
    sums: Value, refined: Value, picture: Value, weights: Weights
) -> tuple[Value, Value, Value, Value]:
    """O-Net on 48x48 crops: boxes [M,4], scores [M] (zero: no face), landmarks [M,5,2], picture [M]."""
    crops, refined, picture = _crops(sums, refined, picture, 48)
    x = _stage(crops, weights, 1, pool=(3, 2))
    x = _stage(x, weights, 2, pool=(3, 2))
    x = _stage(x, weights, 3, pool=(2, 2))
    x = _stage(x, weights, 4)  # [M,128,3,3]
    x = _prelu(_dense_over(x, weights, "dense5"), weights, "prelu5")
    scores = _probability(x, weights, "dense6_1")
    scores = scores * (scores > THRESHOLDS[2]).cast(np.float32)
    found = boxes.regress(refined, _dense(x, weights, "dense6_2"), extra=1.0)
    points = _dense(x, weights, "dense6_3").reshape(-1, 2, 5).transpose(0, 2, 1)  # fractions of the box
    x1, y1, x2, y2 = boxes.sides(refined)
    corner = sums.graph.concat(x1.unsqueeze(1), y1.unsqueeze(1), axis=1).unsqueeze(1)
    extent = sums.graph.concat((x2 - x1).unsqueeze(1), (y2 - y1).unsqueeze(1), axis=1).unsqueeze(1)
    landmarks = (extent + 1.0) * points + corner - 1.0
    return found, scores * boxes.suppress_contained(found, scores, picture, 0.7), landmarks, picture


def _rank(found: Value, scores: Value, landmarks: Value) -> None:
    """The best 64 of each picture: boxes [M,4], scores [B,M], landmarks [M,5,2] -> the graph's outputs."""
    graph = found.graph
    padded = graph.node("Pad", scores, np.array([0, 0, 0, FACES]))  # [B,M+64]: there are always 64 to choose
    best, index = graph.nodes("TopK", padded, np.array([FACES]), results=2, axis=1)
    live = (best > 0.0).unsqueeze(2)  # [B,64,1]
    boxes_of = graph.node("Pad", found, np.array([0, 0, FACES, 0])).take(index, 0)  # [B,64,4]
    points_of = graph.node("Pad", landmarks, np.array([0, 0, 0, FACES, 0, 0])).take(index, 0)  # [B,64,5,2]
    graph.node("Where", live, boxes_of, 0.0, name="boxes")
    graph.node("Identity", best, name="scores")
    graph.node("Where", live.unsqueeze(3), points_of, 0.0, name="landmarks")


def _crops(sums: Value, candidates: Value, picture: Value, size: int) -> tuple[Value, Value, Value]:
    """Normalised crops [M,3,size,size] of the candidates that lie in their picture, and these candidates."""
    graph = sums.graph
    x1, y1, x2, y2 = (side.cast(np.int64) for side in boxes.sides(candidates))
    left, top = (graph.node("Max", side, 1) - 1 for side in (x1, y1))
    right, bottom = (graph.node("Min", side, SIZE) for side in (x2, y2))
    inside = (right > left) & (bottom > top)
    left, top, right, bottom, candidates, picture = (
        graph.node("Compress", value, inside, axis=0)
        for value in (left, top, right, bottom, candidates, picture)
    )
    crops = area.crop(sums, SIZE, picture, (left, top, right, bottom), size)
    return _normalise(crops), candidates, picture


def _pyramid() -> list[float]:
    """Scales at which P-Net's window of 12 pixels covers faces from the smallest to the whole square."""
    scales, scale = [], 12 / SMALLEST_FACE
    while SIZE * scale >= 12:
        scales.append(scale)
        scale *= PYRAMID_FACTOR
    return scales


def _windows(scale: float) -> np.ndarray:
    """P-Net's windows at one scale, [h*w,4] in pixels of the square."""
    side = (
        int(SIZE * scale + 1) - 2 + 1
    ) // 2 - 4  # a 3x3 convolution, pooling by 2 (ceil), two 3x3 convolutions
    y, x = (axis.reshape(-1) for axis in np.mgrid[:side, :side].astype(np.float32))
    corners = np.stack([2 * x + 1, 2 * y + 1, 2 * x + 12, 2 * y + 12], axis=1)
    return np.floor(corners / np.float32(scale))


def _weights(network: str) -> Weights:
    file = originals.file(originals.FACENET_PYTORCH, f"facenet_pytorch/data/{network}.pt")
    state = torch.load(io.BytesIO(file.read_bytes()), weights_only=True)
    return {name: tensor.numpy() for name, tensor in state.items()}


def _normalise(image: Value) -> Value:
    return (image - 127.5) * 0.0078125


def _stage(x: Value, weights: Weights, index: int, pool: tuple[int, int] | None = None) -> Value:
    """Convolution, PReLU and max pooling of (kernel, stride), the border window included."""
    x = _prelu(_convolve(x, weights, f"conv{index}"), weights, f"prelu{index}")
    if pool is None:
        return x
    kernel, stride = pool
    return x.graph.node("MaxPool", x, kernel_shape=[kernel] * 2, strides=[stride] * 2, ceil_mode=1)


def _convolve(x: Value, weights: Weights, name: str) -> Value:
    return x.graph.node("Conv", x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _prelu(x: Value, weights: Weights, name: str) -> Value:
    return x.graph.node("PRelu", x, weights[f"{name}.weight"].reshape(-1, 1, 1))


def _dense_over(x: Value, weights: Weights, name: str) -> Value:
    """Dense layer over an image [M,C,3,3], flattened column by column, as a convolution -> [M,D,1,1].

    A matrix product would take another kernel, with other roundings, for one row than for several.
    """
    weight = weights[f"{name}.weight"]
    kernel = weight.reshape(len(weight), 3, 3, -1).transpose(0, 3, 2, 1)
    return x.graph.node("Conv", x, kernel, weights[f"{name}.bias"])


def _dense(x: Value, weights: Weights, name: str) -> Value:
    """Dense layer on [M,C,1,1] -> [M,D]."""
    weight = weights[f"{name}.weight"]
    y = x.graph.node("Conv", x, weight.reshape(*weight.shape, 1, 1), weights[f"{name}.bias"])
    return x.graph.node("Flatten", y, axis=1)


def _probability(x: Value, weights: Weights, name: str) -> Value:
    """Probability of a face [M]."""
    return x.graph.node("Softmax", _dense(x, weights, name), axis=1).take(1, 1)


def _cells(image: Value, channels: int) -> Value:
    """[B,channels,h,w] -> [B,h*w,channels]."""
    return image.transpose(0, 2, 3, 1).reshape(0, -1, channels)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(__file__).parents[1] / "mini" / "face_detector"
    )
    convert(parser.parse_args().folder)
