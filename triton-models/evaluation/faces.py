"""From a face photo to its embedding in plain numpy, for tests and measurements.

The gateway does the same in Java; pixels come out alike, so that differences in a measurement are the networks'.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

MODELS = Path(__file__).parents[1] / "mini"
SQUARE = 320
CROP = 112
BORDER_FROM = 0.75  # the share of a picture that a face fills, as in face_detector's configuration
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


def letterbox(picture: np.ndarray, *, bordered: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[H,W,3] -> [320,320,3], aspect kept, at the top left, padded by 0; the scales of x and y, and their margins.

    The shorter side is rounded as in insightface's scrfd.py, pixels are cv2.resize's, in its integer arithmetic. With a
    border there is half of the picture's reflection on each side.
    """
    height, width = picture.shape[:2]
    ratio = height / width
    side = SQUARE // 2 if bordered else SQUARE
    w, h = (max(1, int(side / ratio)), side) if ratio > 1 else (side, max(1, int(side * ratio)))
    left, right, left_weight, right_weight = _halfway(width, w)
    upper, lower, upper_weight, lower_weight = _halfway(height, h)
    rows = (
        picture[:, left].astype(int) * left_weight[:, None]
        + picture[:, right].astype(int) * right_weight[:, None]
    ) >> 4
    above = rows[upper] * upper_weight[:, None, None] >> 16
    below = rows[lower] * lower_weight[:, None, None] >> 16
    small = (above + below + 2) >> 2
    margin = np.array([w, h]) // 2 if bordered else np.array([0, 0])
    small = np.pad(small, ((margin[1], margin[1]), (margin[0], margin[0]), (0, 0)), "reflect")
    square = np.zeros((SQUARE, SQUARE, 3), np.uint8)
    square[: len(small), : small.shape[1]] = small
    return square, np.array([w / width, h / height]), margin


def _halfway(source: int, target: int) -> tuple[np.ndarray, ...]:
    """Between which two of `source` pixels each of `target` pixels has its centre, and both weights in 1/2048."""
    centre = ((np.arange(target) + 0.5) * (1 / (target / source)) - 0.5).astype(np.float32)
    floor = np.floor(centre)
    weight = centre - floor
    first, second = (side.astype(int).clip(0, source - 1) for side in (floor, floor + 1))
    return first, second, *(np.rint(share * 2048).astype(int) for share in (1 - weight, weight))


def _bilinear(picture: np.ndarray, x: np.ndarray, y: np.ndarray, *, padded: bool) -> np.ndarray:
    """[H,W,3] at the places x, y [h,w] -> [h,w,3]. Rounded as the gateway rounds, half upwards.

    Outside is the picture's reflection where it is padded, and 0 elsewhere.
    """
    height, width = picture.shape[:2]
    if padded:
        x, y = (_reflected(places, size) for places, size in ((x, width), (y, height)))
    framed = np.pad(picture, ((1, 2), (1, 2), (0, 0))).astype(np.float64)
    x, y = x.clip(-1, width) + 1, y.clip(-1, height) + 1
    left, top = x.astype(int), y.astype(int)
    right, bottom = (x - left)[..., None], (y - top)[..., None]
    above = (1 - right) * framed[top, left] + right * framed[top, left + 1]
    below = (1 - right) * framed[top + 1, left] + right * framed[top + 1, left + 1]
    return np.floor((1 - bottom) * above + bottom * below + 0.5).astype(np.uint8)


class Face(NamedTuple):
    """The largest face of a picture."""

    landmarks: np.ndarray  # [5,2], in pixels of the picture
    padded: bool = False  # seen with a reflected border around the picture


def find(picture: np.ndarray) -> Face | None:
    """The face in a picture [H,W,3], looked for once more within a border where it fills the picture."""
    seen = look(picture)
    if len(seen.boxes):
        width, height = seen.boxes[seen.largest, 2:] - seen.boxes[seen.largest, :2]
        if width < BORDER_FROM * picture.shape[1] and height < BORDER_FROM * picture.shape[0]:
            return Face(seen.landmarks[seen.largest])
    padded = look(picture, bordered=True)
    if len(padded.boxes) >= max(1, len(seen.boxes)):
        return Face(padded.landmarks[padded.largest], padded=True)
    return Face(seen.landmarks[seen.largest]) if len(seen.boxes) else None


class Seen(NamedTuple):
    """What the detector sees in one look: faces by score, in pixels of the picture."""

    boxes: np.ndarray  # [N,4], within the picture
    landmarks: np.ndarray  # [N,5,2]

    @property
    def largest(self) -> int:
        left, top, right, bottom = self.boxes.T
        return int(((right - left) * (bottom - top)).argmax())


def look(picture: np.ndarray, *, bordered: bool = False) -> Seen:
    """The faces whose middle is in the picture [H,W,3], and not in a border around it."""
    square, scale, margin = letterbox(picture, bordered=bordered)
    boxes, scores, points = (
        output[0] for output in session("face_detector").run(None, {"image": square[None]})
    )
    size = np.array(picture.shape[1::-1])
    boxes = (boxes[scores > 0].reshape(-1, 2, 2) - margin) / scale
    inside = ((boxes.mean(1) >= 0) & (boxes.mean(1) <= size)).all(1)
    return Seen(boxes[inside].clip(0, size).reshape(-1, 4), ((points[scores > 0] - margin) / scale)[inside])


def _reflected(places: np.ndarray, size: int) -> np.ndarray:
    """Places on an axis of `size` pixels that goes on outside as its reflection, brought back inside."""
    period = max(1, 2 * (size - 1))
    inside = places % period
    return np.minimum(inside, period - inside) if size > 1 else np.zeros_like(places)


def align(picture: np.ndarray, face: Face, template: np.ndarray = TEMPLATE, side: int = CROP) -> np.ndarray:
    """The crop [side,side,3] of a face whose five points lie, in the least-squares sense, where the template has them.

    Without a template: where ArcFace expects them, [112,112,3].
    """
    points = face.landmarks
    p, q = (xy[:, 0] + 1j * xy[:, 1] for xy in (points, template))  # a similarity of the plane is q = a p + b
    centred = p - p.mean()
    a = np.vdot(centred, q) / np.vdot(centred, centred)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    source = (x + 1j * y - q.mean()) / a + p.mean()
    return _bilinear(picture, source.real, source.imag, padded=face.padded)


def embed(crops: np.ndarray) -> np.ndarray:
    """Aligned crops [N,112,112,3] -> embeddings [N,256] of unit length."""
    rows = [session("arcface").run(None, {"face": crop[None]})[0][0] for crop in crops]
    embeddings = np.stack(rows)
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
