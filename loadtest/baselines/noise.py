"""Starting noise: what `torch.randn([1, 4, h, w])` draws in FP32 from a CPU generator of a seed.

Source: PyTorch, aten/src/ATen/native/cpu/DistributionTemplates.h (normal_fill).
"""

from collections.abc import Sequence

import numpy as np

BLOCK = 16


def draw(seeds: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """A generator of its own for each uint32 seed -> [N,*shape] FP32."""
    return np.stack([_normals(seed, int(np.prod(shape))).reshape(shape) for seed in seeds])


def _normals(seed: int, count: int) -> np.ndarray:
    """Box-Muller in blocks of 16, where value j is paired with value j + 8: [count] FP32."""
    if count % BLOCK:
        raise ValueError(f"{count} values are not whole blocks of {BLOCK}")
    # mt19937, which numpy's old interface seeds as PyTorch does; 24 bits of a draw make a uniform in [0, 1).
    bits = np.random.RandomState(seed).randint(0, 1 << 32, count, np.uint32)
    uniform = (bits & 0xFFFFFF).astype(np.float32) * np.float32(2**-24)
    radius, angle = np.moveaxis(uniform.reshape(-1, 2, BLOCK // 2), 1, 0)
    radius = np.sqrt(np.float32(-2) * np.log(1 - radius))
    angle = np.float32(2 * np.pi) * angle
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
