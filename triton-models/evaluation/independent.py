"""A second opinion: networks that neither condition the model nor take part in its training.

dlib's ResNet tells people apart by the distance of its descriptors; its layer before that serves as features of a
picture. face-api's classifier sees expressions. Both look at upright crops made from five landmarks.
"""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

from evaluation import faces
from export import face_api

SIDE = 150
# Up to which distance of descriptors two faces are one person's: dlib's own figure, for photos of real people; and for
# the generator's faces, which are more alike: one pair in a thousand of different held-out people is nearer.
SAME_PERSON, SAME_SYNTHETIC_PERSON = 0.6, 0.45
# The mean face of dlib's chips, of 68 points (dlib, image_transforms/interpolation.h), reduced to five: the middles of
# the eyes, the tip of the nose, the corners of the mouth. Its square grows by a quarter on each side.
_MEAN_FACE = np.array(
    [
        [0.225492, 0.215990],
        [0.754762, 0.215990],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)
_PADDING = 0.25
TEMPLATE = (_MEAN_FACE + _PADDING) / (1 + 2 * _PADDING) * SIDE


def chip(picture: np.ndarray, face: faces.Face) -> np.ndarray:
    """What dlib's network sees [150,150,3] of a face of a picture [H,W,3]."""
    return faces.align(picture, face, TEMPLATE, SIDE)


def describe(chips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chips [N,150,150,3] -> features [N,256] and descriptors [N,128]; one at a time, so that no row sees another."""
    rows = [_session(face_api.dlib_resnet()).run(None, {"face": one[None]}) for one in chips]
    return tuple(np.concatenate(part) for part in zip(*rows, strict=True))


def expressions(crops: np.ndarray) -> np.ndarray:
    """Crops [N,112,112,3] -> probabilities [N,7] in the order of face_api.EXPRESSIONS."""
    rows = [_session(face_api.expression()).run(None, {"face": one[None]})[0] for one in crops]
    return np.concatenate(rows)


@cache
def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
