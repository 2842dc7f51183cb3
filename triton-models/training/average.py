"""An exponential moving average of a network's weights."""

import torch
from torch import Tensor, nn


class Average:
    """Weights that follow the network's: each update takes `1 - decay` of the new ones, at first more."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {
            name: value.clone() for name, value in network.state_dict().items()
        }

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """After the optimiser's step number `step`, from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        current = network.state_dict()
        pairs = [(average, current[name]) for name, average in self.weights.items()]
        moving = [pair for pair in pairs if pair[0].is_floating_point()]
        torch._foreach_lerp_([a for a, _ in moving], [b for _, b in moving], 1 - decay)
        for average, value in pairs:
            if not average.is_floating_point():  # a count
                average.copy_(value)
