"""A face as another camera and another detector might give it."""

import torch
from torch import Tensor

LANDMARK_JITTER = 1.5  # pixels: another detector puts the points elsewhere
MAX_GAMMA, MAX_GAIN = 1.4, 1.25  # another camera sees other light
MAX_NOISE = 0.05  # of the range -1..1
DARKEST = 1e-3  # the slope of a power has no end at 0


def disturb(image: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Images [B,3,h,w] in -1..1 and landmarks [B,5,2] in other light, with noise, the points a little elsewhere."""

    def one_each() -> Tensor:
        return torch.rand(len(image), 1, 1, 1, device=image.device)

    def around_one(limit: float) -> Tensor:
        return limit ** (2 * one_each() - 1)

    light = (image / 2 + 0.5).clamp(DARKEST, 1) ** around_one(MAX_GAMMA) * around_one(MAX_GAIN)
    noise = MAX_NOISE * one_each() * torch.randn_like(image)
    return light.clamp(0, 1) * 2 - 1 + noise, landmarks + LANDMARK_JITTER * torch.randn_like(landmarks)
