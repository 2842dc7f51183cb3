"""An exponential moving average of a network's weights: what will be served."""

import torch
from torch import Tensor, nn


class Average:
    """After update n (from 0) each weight is d_n times itself plus 1 - d_n times the network's.

    d_n = min(decay, (1 + n) / (10 + n)): the beginning is soon forgotten. Counts are those of the network.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.weights: dict[str, Tensor] = {
            name: value.clone() for name, value in network.state_dict().items()
        }

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        current = network.state_dict()
        pairs = [(average, current[name]) for name, average in self.weights.items()]
        moving = [pair for pair in pairs if pair[0].is_floating_point()]
        torch._foreach_lerp_([a for a, _ in moving], [b for _, b in moving], 1 - decay)
        for average, value in pairs:
            if not average.is_floating_point():  # a count
                average.copy_(value)
        self.updates += 1

    def state_dict(self) -> dict[str, int | dict[str, Tensor]]:
        return {"updates": self.updates, "weights": self.weights}

    def load_state_dict(self, state: dict[str, int | dict[str, Tensor]]) -> None:
        self.updates = state["updates"]
        for name, weight in self.weights.items():
            weight.copy_(state["weights"][name])
