"""How much memory a training asks of each process, by arithmetic."""

from dataclasses import dataclass

from training.sd15.recipe import Recipe

# Bytes of one weight: itself, its gradient, Adam's two moments and the average, all FP32; and autocast's half copy.
TRAINED, HALF = 20, 2
# Encoder and UNet together, as a share of the UNet's file: 983 of 860 million weights.
BOTH = 1.15


@dataclass(frozen=True)
class Demand:
    """Bytes that do not depend on the rows, and those of each row in work."""

    fixed: int
    per_row: int

    @classmethod
    def of(cls, unet_bytes: int, recipe: Recipe, recompute: bool) -> "Demand":
        """`unet_bytes` is the UNet's file in FP32."""
        half = recipe.precision != "fp32"
        fixed = BOTH * unet_bytes / 4 * (TRAINED + (HALF if half else 0))
        return cls(int(fixed), 0)

    def total(self, rows: int) -> int:
        return self.fixed + rows * self.per_row
