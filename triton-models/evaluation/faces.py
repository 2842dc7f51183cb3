"""From a face photo to its embedding in plain numpy, for tests and measurements.

The gateway does the same in Java; pixels come out alike, so that differences in a measurement are the networks'.
"""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

MODELS = Path(__file__).parents[1] / "mini"
SQUARE = 320
CROP = 112
# Where ArcFace's crops have their eyes, nose and mouth corners, image-left first (insightface).
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


@cache
def session(model: str) -> onnxruntime.InferenceSession:
    """A model of the mini profile, run by ONNX Runtime without Triton."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = MODELS / model / "1" / "model.onnx"
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def letterbox(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[H,W,3] -> [320,320,3], aspect kept, at the top left, padded by 0; and the scales of x and y.

    The shorter side is rounded as in insightface's scrfd.py, pixels are cv2.resize's, in its integer arithmetic.
    """
    height, width = picture.shape[:2]
    ratio = height / width
    w, h = (max(1, int(SQUARE / ratio)), SQUARE) if ratio > 1 else (SQUARE, max(1, int(SQUARE * ratio)))
    left, right, left_weight, right_weight = _halfway(width, w)
    upper, lower, upper_weight, lower_weight = _halfway(height, h)
    rows = (
        picture[:, left].astype(int) * left_weight[:, None]
        + picture[:, right].astype(int) * right_weight[:, None]
    ) >> 4
    above = rows[upper] * upper_weight[:, None, None] >> 16
    below = rows[lower] * lower_weight[:, None, None] >> 16
    square = np.zeros((SQUARE, SQUARE, 3), np.uint8)
    square[:h, :w] = (above + below + 2) >> 2
    return square, np.array([w / width, h / height])


def _halfway(source: int, target: int) -> tuple[np.ndarray, ...]:
    """Between which two of `source` pixels each of `target` pixels has its centre, and both weights in 1/2048."""
    centre = ((np.arange(target) + 0.5) * (1 / (target / source)) - 0.5).astype(np.float32)
    floor = np.floor(centre)
    weight = centre - floor
    first, second = (side.astype(int).clip(0, source - 1) for side in (floor, floor + 1))
    return first, second, *(np.rint(share * 2048).astype(int) for share in (1 - weight, weight))


def _bilinear(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[H,W,3] at the places x, y [h,w] -> [h,w,3]; 0 outside. Rounded as the gateway rounds, half upwards."""
    framed = np.pad(picture, ((1, 2), (1, 2), (0, 0))).astype(np.float64)
    height, width = picture.shape[:2]
    x, y = x.clip(-1, width) + 1, y.clip(-1, height) + 1
    left, top = x.astype(int), y.astype(int)
    right, bottom = (x - left)[..., None], (y - top)[..., None]
    above = (1 - right) * framed[top, left] + right * framed[top, left + 1]
    below = (1 - right) * framed[top + 1, left] + right * framed[top + 1, left + 1]
    return np.floor((1 - bottom) * above + bottom * below + 0.5).astype(np.uint8)


def landmarks(picture: np.ndarray) -> np.ndarray | None:
    """The five points [5,2] of the largest face of a picture [H,W,3], in its pixels; None: no face."""
    square, scale = letterbox(picture)
    boxes, scores, points = (
        output[0] for output in session("face_detector").run(None, {"image": square[None]})
    )
    if not scores[0] > 0:
        return None
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return points[areas.argmax()] / scale


def align(
    picture: np.ndarray, points: np.ndarray, template: np.ndarray = TEMPLATE, side: int = CROP
) -> np.ndarray:
    """The crop [side,side,3] whose five points lie, in the least-squares sense, where the template has them.

    Without a template: where ArcFace expects them, [112,112,3].
    """
    p, q = (xy[:, 0] + 1j * xy[:, 1] for xy in (points, template))  # a similarity of the plane is q = a p + b
    centred = p - p.mean()
    a = np.vdot(centred, q) / np.vdot(centred, centred)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    source = (x + 1j * y - q.mean()) / a + p.mean()
    return _bilinear(picture, source.real, source.imag)


def embed(crops: np.ndarray) -> np.ndarray:
    """Aligned crops [N,112,112,3] -> embeddings [N,256] of unit length."""
    rows = [session("arcface").run(None, {"face": crop[None]})[0][0] for crop in crops]
    embeddings = np.stack(rows)
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
