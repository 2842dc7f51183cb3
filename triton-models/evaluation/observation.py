"""What is seen in a picture: its face by the served networks, and what the independent ones say of it."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import numpy as np
from PIL import Image, ImageOps

from evaluation import faces, independent
from evaluation.api import Gateway, message, status
from evaluation.gallery import CALLERS
from evaluation.pose import yaw_and_pitch
from evaluation.progress import Bar

LUMA = np.array([0.299, 0.587, 0.114])
FACE = np.s_[20:100, 26:86]  # of an aligned crop: without hair and background


@dataclass(frozen=True)
class Face:
    """A picture's largest face."""

    embedding: np.ndarray  # [D], unit length, by the served recogniser
    crop: np.ndarray  # [112,112,3], aligned
    features: np.ndarray  # [256], of dlib's network
    descriptor: np.ndarray  # [128], of dlib's network
    expression: np.ndarray  # [7], probabilities
    yaw: float  # degrees
    pitch: float
    sharpness: float


def observe(gateway: Gateway, pictures: Sequence[bytes], name: str) -> list[Face | None]:
    """The face in each of the encoded pictures; None where the gateway finds none."""
    bar = Bar(name, len(pictures))

    def one(data: bytes) -> Face | None:
        face = look(gateway, data)
        bar.advance()
        return face

    with bar, ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(one, pictures))


def look(gateway: Gateway, data: bytes) -> Face | None:
    source = message("IdentitySource", photo=data)
    try:
        answer = gateway.unary("EmbedFace", message("EmbedFaceRequest", identity=source))
    except grpc.RpcError as error:
        if "NO_FACE_DETECTED" in status(error) or "FACE_TOO_SMALL" in status(error):
            return None
        raise
    report = answer.face_report
    points = np.array([[point.x, point.y] for point in report.faces[report.used_index].landmarks])
    pixels = decode(data)
    face = faces.Face(points, report.padded)
    crop = faces.align(pixels, face)
    features, descriptor = independent.describe(independent.chip(pixels, face)[None])
    yaw, pitch = yaw_and_pitch(points)
    return Face(
        np.array(answer.embedding.values, np.float32),
        crop,
        features[0],
        descriptor[0],
        independent.expressions(crop[None])[0],
        yaw,
        pitch,
        sharpness(crop),
    )


def decode(data: bytes) -> np.ndarray:
    """Pixels [H,W,3] of a picture, upright."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def mirrored(data: bytes) -> bytes:
    """A picture with left and right exchanged, as PNG."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(decode(data)[:, ::-1])).save(file, "PNG", compress_level=1)
    return file.getvalue()


def sharpness(crop: np.ndarray) -> float:
    """Gradient energy of an aligned face [112,112,3]: the mean squared difference between neighbours' lumas."""
    luma = crop[FACE] @ LUMA
    return float(np.square(np.diff(luma, axis=0)).mean() + np.square(np.diff(luma, axis=1)).mean())
