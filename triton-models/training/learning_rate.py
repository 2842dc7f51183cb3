"""The learning rate as a function of the step alone, so that an interrupted training goes on as it would have."""

import math

WARM_UP = 100  # steps
FINAL = 0.05  # of the peak


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, then half a cosine down to FINAL of the peak."""
    if step < WARM_UP:
        return peak * (step + 1) / WARM_UP
    progress = (step - WARM_UP) / max(1, steps - WARM_UP)
    return peak * (FINAL + (1 - FINAL) * (1 + math.cos(math.pi * progress)) / 2)
