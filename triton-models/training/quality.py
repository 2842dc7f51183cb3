"""Which faces are good enough to learn from: what is measured of a face, and the rules that reject it.

Light and sharpness are measured on the aligned face at 64x64, so that pictures of any size are measured alike.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from training.alignment import coverage, portrait, portrait_template

# A face's five points in space: x to the right, y down, z towards the camera, in eye distances from the middle of
# the eyes. x and y are those of the portraits' template, depths those of a common head.
HEAD = torch.tensor(
    [[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.64, 0.42], [-0.43, 1.14, 0.05], [0.43, 1.14, 0.05]]
)
MEASURED_SIZE = 64
ROWS, COLUMNS = slice(22, 60), slice(15, 48)  # of the face in a portrait of MEASURED_SIZE
LUMA = (0.299, 0.587, 0.114)


class Measures(NamedTuple):
    """What is known of one face."""

    score: float  # the detector's
    eye_distance: float  # pixels of the picture
    yaw: float  # degrees, as the next two
    pitch: float
    roll: float
    coverage: float  # share of the portrait that lies inside the picture
    brightness: float  # mean luma of the face, 0..255
    contrast: float  # its standard deviation
    imbalance: float  # of the light: difference between the halves' means, as a share of the brightness
    sharpness: float  # mean absolute Laplacian of the luma


def pose(landmarks: Tensor) -> Tensor:
    """Landmarks [B,5,2] -> yaw, pitch and roll [B,3] in degrees, each 0 for a face that looks into the camera.

    The head's points under weak perspective, solved by least squares (DeMenthon & Davis, 1995, without iteration).
    """
    head = HEAD - HEAD.mean(0)
    centred = landmarks - landmarks.mean(1, keepdim=True)
    axes = (torch.linalg.pinv(head) @ centred).transpose(1, 2)  # [B,2,3]: scaled first rows of the rotation
    right, down = (axis / axis.norm(dim=1, keepdim=True) for axis in axes.unbind(1))
    forward = torch.linalg.cross(right, down)
    yaw = torch.atan2(right[:, 2], forward[:, 2])
    pitch = torch.atan2(down[:, 2], forward[:, 2])
    roll = torch.atan2(landmarks[:, 1, 1] - landmarks[:, 0, 1], landmarks[:, 1, 0] - landmarks[:, 0, 0])
    return torch.stack([yaw, pitch, roll], dim=1) * (180 / math.pi)


def measure(images: Tensor, landmarks: Tensor, scores: Tensor) -> Tensor:
    """Images [B,3,h,w] in 0..255, landmarks [B,5,2] and scores [B] -> rows of `Measures` [B,10].

    The faces of a batch are of about one size.
    """
    faces = _small_portraits(images, landmarks)[:, :, ROWS, COLUMNS]
    luma = (faces * torch.tensor(LUMA)[:, None, None]).sum(1)  # [B,38,33]
    laplacian = (
        4 * luma[:, 1:-1, 1:-1]
        - luma[:, :-2, 1:-1]
        - luma[:, 2:, 1:-1]
        - luma[:, 1:-1, :-2]
        - luma[:, 1:-1, 2:]
    )
    brightness = luma.mean((1, 2))
    half = luma.shape[2] // 2
    imbalance = luma[:, :, :half].mean((1, 2)) - luma[:, :, -half:].mean((1, 2))
    columns = [
        scores,
        (landmarks[:, 1] - landmarks[:, 0]).norm(dim=1),
        *pose(landmarks).unbind(1),
        coverage(*images.shape[-2:], landmarks),
        brightness,
        luma.std((1, 2)),
        imbalance.abs() / brightness.clamp(min=1),
        laplacian.abs().mean((1, 2)),
    ]
    return torch.stack(columns, dim=1)


def _small_portraits(images: Tensor, landmarks: Tensor) -> Tensor:
    """[B,3,64,64]; large pictures are reduced first, or the warp would skip pixels and make anything look sharp."""
    wanted = portrait_template(MEASURED_SIZE)
    sizes = [(points[:, 1] - points[:, 0]).norm(dim=1).median() for points in (landmarks, wanted[None])]
    factor = max(1, int(sizes[0] / sizes[1]))
    reduced = F.avg_pool2d(images, factor)
    return portrait(reduced, (landmarks + 0.5) / factor - 0.5, MEASURED_SIZE)[0]


@dataclass(frozen=True)
class Rules:
    """Limits of what is kept; `reason` names the first one that a face breaks."""

    score: float
    eye_distance: float
    yaw: float
    pitch: float
    roll: float
    coverage: float
    darkest: float
    brightest: float
    contrast: float
    imbalance: float
    sharpness: float

    def reason(self, face: Measures) -> str:
        """Why a face is rejected; empty where it is kept."""
        broken = {
            "uncertain": face.score < self.score,
            "small": face.eye_distance < self.eye_distance,
            "turned": abs(face.yaw) > self.yaw,
            "nodding": abs(face.pitch) > self.pitch,
            "tilted": abs(face.roll) > self.roll,
            "cut off": face.coverage < self.coverage,
            "dark": face.brightness < self.darkest,
            "bright": face.brightness > self.brightest,
            "flat": face.contrast < self.contrast,
            "lit from one side": face.imbalance > self.imbalance,
            "blurred": face.sharpness < self.sharpness,
        }
        return next((name for name, is_broken in broken.items() if is_broken), "")


NO_FACE = "no face"
# The large set, which the first stage of training sees, and the strict one of the second.
LARGE = Rules(
    score=0.99,
    eye_distance=12,
    yaw=35,
    pitch=30,
    roll=20,
    coverage=0.85,
    darkest=45,
    brightest=220,
    contrast=15,
    imbalance=1,
    sharpness=4,
)
STRICT = Rules(
    score=0.995,
    eye_distance=15,
    yaw=20,
    pitch=20,
    roll=10,
    coverage=0.87,
    darkest=60,
    brightest=200,
    contrast=18,
    imbalance=0.4,
    sharpness=6,
)
