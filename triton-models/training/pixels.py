"""Pictures as they are stored and as networks take them."""

import numpy as np
import torch
from torch import Tensor


def to_tensor(images: np.ndarray, device: torch.device | None = None) -> Tensor:
    """uint8 [B,h,w,3] -> float [B,3,h,w] in 0..255."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float()


def to_array(images: Tensor) -> np.ndarray:
    """[B,3,h,w] in 0..255 -> uint8 [B,h,w,3]."""
    return images.clamp(0, 255).round().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
