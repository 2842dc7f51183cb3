"""How much memory a training asks of each process, by arithmetic."""

from dataclasses import dataclass

from export.arc2face.preflight import GIGABYTE
from training.sd15.recipe import Recipe

# Bytes of one weight: itself, its gradient, Adam's two moments and the average, all FP32; and autocast's half copy.
TRAINED, HALF = 20, 2
# Encoder and UNet together, as a share of the UNet: 983 of 860 million weights.
BOTH = 1.143
# A row's activations at 512x512, in bytes: what lives at most at one time of a forward and backward pass of the full
# architecture, counted allocation by allocation without computing; FP32's taken as twice that. By (half precision,
# recomputed).
ACTIVATIONS = {
    (True, True): 0.20 * GIGABYTE,
    (True, False): 0.99 * GIGABYTE,
    (False, True): 0.40 * GIGABYTE,
    (False, False): 1.98 * GIGABYTE,
}
# The autoencoder, the libraries' own memory, and what the allocator cannot use.
BESIDE, WASTE = 1.0 * GIGABYTE, 1.1


@dataclass(frozen=True)
class Demand:
    """Bytes that do not depend on the rows, and those of each row in work."""

    fixed: int
    per_row: int

    @classmethod
    def of(cls, unet_bytes: int, recipe: Recipe, recompute: bool) -> "Demand":
        """`unet_bytes` is the size of the UNet's file, in FP32."""
        half = recipe.precision != "fp32"
        weights = BOTH * unet_bytes / 4
        fixed = weights * (TRAINED + (HALF if half else 0)) * WASTE + BESIDE
        per_row = ACTIVATIONS[half, recompute] * (recipe.resolution / 512) ** 2 * WASTE
        return cls(int(fixed), int(per_row))

    def total(self, rows: int) -> int:
        return self.fixed + rows * self.per_row
