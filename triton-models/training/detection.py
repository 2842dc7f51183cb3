"""Where MTCNN sees a face, and how sure it is."""

from collections.abc import Sequence

import numpy as np
import torch
from facenet_pytorch import MTCNN
from torch import Tensor
from torch.nn import functional as F

Found = tuple[np.ndarray, float]  # landmarks [5,2] in pixels of the picture, score


def load_detector(smallest_face: int) -> MTCNN:
    """MTCNN for faces of at least so many pixels."""
    return MTCNN(min_face_size=smallest_face, post_process=False, device="cpu")


@torch.inference_mode()
def detect(detector: MTCNN, images: Tensor, upsampling: int = 1) -> Sequence[Found | None]:
    """The most probable face of each image [B,3,h,w], in 0..255; None where there is none."""
    if upsampling > 1:  # MTCNN wants larger faces than some pictures have
        images = F.interpolate(images, scale_factor=upsampling, mode="bicubic").clamp(0, 255)
    _, scores, landmarks = detector.detect(images.permute(0, 2, 3, 1).round().byte().numpy(), landmarks=True)
    found: list[Found | None] = []
    for score, points in zip(scores, landmarks, strict=True):
        if points is None:
            found.append(None)
            continue
        best = int(np.argmax(score.astype(np.float64)))
        place = (points[best].astype(np.float32) + 0.5) / upsampling - 0.5
        found.append((place, float(score[best])))
    return found
