"""Converts two networks of face-api to ONNX: dlib's face recogniser and a classifier of expressions.

They only judge pictures; nothing is trained or conditioned on them. The weights are published in 8 bits and are used
with the values that TensorFlow.js gives them; the arithmetic is that of face-api's sources.

dlib_resnet: face UINT8 [B,150,150,3] -> features [B,256], pooled, and descriptor [B,128], made for distances
expression:  face UINT8 [B,112,112,3] -> probabilities [B,7]
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from export import originals, tfjs
from export.config import Tensor
from export.graph import Graph, Value

CACHE = originals.CACHE.parent / "face-api"
LICENCE = (
    "CC0 (weights of dlib, Davis King); in TensorFlow.js by face-api (MIT; Vincent Mühler, Vladimir Mandic)"
)
MEAN = np.array([122.782, 117.001, 104.298], np.float32).reshape(3, 1, 1)  # of dlib's training pictures, RGB
EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")

Weights = dict[str, np.ndarray]


def dlib_resnet() -> Path:
    """The recogniser's ONNX file, made at the first call."""
    outputs = [Tensor("features", "FP32", (256,)), Tensor("descriptor", "FP32", (128,))]
    return _converted("face_recognition_model", "dlib_resnet", 150, outputs, _recognise)


def expression() -> Path:
    """The classifier's ONNX file, made at the first call."""
    outputs = [Tensor("probabilities", "FP32", (len(EXPRESSIONS),))]
    return _converted("face_expression_model", "expression", 112, outputs, _classify)


def weights(model: str) -> Weights:
    """A published model's weights by name, as float32."""
    manifest, values = (
        originals.file(originals.FACE_API, f"package/model/{model}{end}").read_bytes()
        for end in ("-weights_manifest.json", ".bin")
    )
    return tfjs.read_weights(json.loads(manifest), values)


def _converted(
    model: str,
    name: str,
    side: int,
    outputs: list[Tensor],
    network: Callable[[Weights, Value], tuple[Value, ...]],
) -> Path:
    path = CACHE / f"{name}.onnx"
    if not path.exists():
        graph = Graph()
        image = graph.value("face").cast(np.float32).transpose(0, 3, 1, 2)  # [B,3,side,side]
        results = network(weights(model), (image - MEAN) / 255.0)
        for output, result in zip(outputs, results, strict=True):
            graph.node("Identity", result, name=output.name)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:  # its own, as others may be making the same
            partial = Path(folder) / path.name
            graph.save(partial, name, [Tensor("face", "UINT8", (side, side, 3))], outputs, LICENCE)
            partial.rename(path)
    return path


def _recognise(weight: Weights, image: Value) -> tuple[Value, Value]:
    """dlib's ResNet: [B,3,150,150] -> the features [B,256] before its last layer, and the descriptor [B,128]."""
    graph = image.graph
    x = _scaled_convolution(weight, image, "conv32_down", stride=2).relu()  # [B,32,72,72]
    x = graph.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])  # [B,32,35,35]
    size = 35
    for width, blocks in ((32, 3), (64, 3), (128, 2), (256, 2)):
        if width > 32:
            x, size = _residual_down(weight, x, f"conv{width}_down", width, size)  # 17, 8, 4 pixels
        for block in range(1, blocks + 1):
            y = _scaled_convolution(weight, x, f"conv{width}_{block}/conv1").relu()
            x = (_scaled_convolution(weight, y, f"conv{width}_{block}/conv2") + x).relu()
    x, _ = _residual_down(weight, x, "conv256_down_out", None, size)  # [B,256,2,2]
    pooled = graph.node("GlobalAveragePool", x)  # [B,256,1,1]
    # A convolution, as in tfjs.py: rows of a batch are treated alike.
    descriptor = graph.node("Conv", pooled, graph.constant(weight["fc"].T[:, :, None, None], "fc"))
    return graph.node("Flatten", pooled, axis=1), graph.node("Flatten", descriptor, axis=1)


def _scaled_convolution(weight: Weights, x: Value, name: str, stride: int = 1) -> Value:
    """Convolution and scale; padded to keep the size, or not at all where it strides."""
    kernel = weight[f"{name}/conv/filters"].transpose(3, 2, 0, 1)  # [out,in,h,w]
    pad = 0 if stride > 1 else kernel.shape[-1] // 2
    y = _convolution(x, kernel, weight[f"{name}/conv/bias"], f"{name}/conv", stride, [pad] * 4)
    return y * _per_channel(weight[f"{name}/scale/weights"]) + _per_channel(weight[f"{name}/scale/biases"])


def _residual_down(weight: Weights, x: Value, name: str, width: int | None, size: int) -> tuple[Value, int]:
    """Halves the size, and widens to `width` channels; the shortcut gets zeros as channels, the way a border of them.

    The convolution loses a pixel where the size is even.
    """
    graph = x.graph
    y = _scaled_convolution(weight, x, f"{name}/conv1", stride=2).relu()
    y = _scaled_convolution(weight, y, f"{name}/conv2")
    shortcut = graph.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    border = size // 2 - (size - 3) // 2 - 1
    if border:
        y = graph.node("Pad", y, np.array([0, 0, 0, 0, 0, 0, border, border]))
    if width is not None:
        shortcut = graph.node("Pad", shortcut, np.array([0, 0, 0, 0, 0, width // 2, 0, 0]))
    return (shortcut + y).relu(), size // 2


def _classify(weight: Weights, image: Value) -> tuple[Value]:
    """face-api's network of four dense blocks: [B,3,112,112] -> probabilities [B,7]."""
    graph = image.graph
    x = image
    for block in range(4):  # [B,32,56,56], [B,64,28,28], [B,128,14,14], [B,256,7,7]
        name = f"dense{block}"
        if block == 0:
            kernel = weight[f"{name}/conv0/filters"].transpose(3, 2, 0, 1)
            out = _convolution(x, kernel, weight[f"{name}/conv0/bias"], f"{name}/conv0", 2, [0, 0, 1, 1])
        else:
            out = _separable(weight, x, f"{name}/conv0", 2)
        total = out.relu()
        for layer in (1, 2, 3):
            total = total + _separable(weight, total.relu(), f"{name}/conv{layer}", 1)
        x = total.relu()
    pooled = graph.node("GlobalAveragePool", x)
    kernel = weight["fc/weights"].T[:, :, None, None]
    logits = _convolution(pooled, kernel, weight["fc/bias"], "fc", 1, [0] * 4)
    return (graph.node("Softmax", graph.node("Flatten", logits, axis=1), axis=1),)


def _separable(weight: Weights, x: Value, name: str, stride: int) -> Value:
    """Depthwise, then pointwise; TensorFlow pads an even size below and to the right."""
    depthwise = weight[f"{name}/depthwise_filter"].transpose(2, 3, 0, 1)  # [channels,1,3,3]
    pointwise = weight[f"{name}/pointwise_filter"].transpose(3, 2, 0, 1)
    pads = [0, 0, 1, 1] if stride == 2 else [1] * 4
    groups = len(depthwise)
    y = x.graph.node("Conv", x, x.graph.constant(depthwise), strides=[stride] * 2, pads=pads, group=groups)
    return _convolution(y, pointwise, weight[f"{name}/bias"], name, 1, [0] * 4)


def _convolution(
    x: Value, kernel: np.ndarray, bias: np.ndarray, name: str, stride: int, pads: list[int]
) -> Value:
    graph = x.graph
    return graph.node(
        "Conv", x, graph.constant(kernel), graph.constant(bias), name=name, strides=[stride] * 2, pads=pads
    )


def _per_channel(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, 1, 1)
