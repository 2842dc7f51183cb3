"""From a face photo to its embedding in plain Python, for tests and measurements."""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

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


def letterbox(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """[H,W,3] -> [320,320,3], aspect kept, at the top left, padded by 0; and the scale."""
    height, width = picture.shape[:2]
    scale = SQUARE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    square = np.zeros((SQUARE, SQUARE, 3), np.uint8)
    square[: size[1], : size[0]] = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
    return square, scale


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


def align(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The crop [112,112,3] whose five points lie, in the least-squares sense, where ArcFace expects them."""
    p, q = (xy[:, 0] + 1j * xy[:, 1] for xy in (TEMPLATE, points))  # a similarity of the plane is q = a p + b
    centred = p - p.mean()
    a = np.vdot(centred, q) / np.vdot(centred, centred)
    b = q.mean() - a * p.mean()
    inverse = (a.real, -a.imag, b.real + 0.5 * (1 - a.real + a.imag))
    inverse += (a.imag, a.real, b.imag + 0.5 * (1 - a.imag - a.real))  # Pillow counts from the pixel's corner
    crop = Image.fromarray(picture).transform(
        (CROP, CROP), Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR
    )
    return np.asarray(crop)


def embed(crops: np.ndarray) -> np.ndarray:
    """Aligned crops [N,112,112,3] -> embeddings [N,256] of unit length."""
    rows = [session("arcface").run(None, {"face": crop[None]})[0][0] for crop in crops]
    embeddings = np.stack(rows)
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
