"""The exponential moving average of the weights, which is what will be served."""

import torch
from torch import Tensor, nn


class Average:
    """After update n (from 0) each weight is d_n times itself plus 1 - d_n times the network's.

    d_n = min(decay, (1 + n) / (10 + n)): the beginning is soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.weights = {name: weight.detach().clone() for name, weight in network.named_parameters()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        current = [weight.detach() for _, weight in network.named_parameters()]
        torch._foreach_lerp_(list(self.weights.values()), current, 1 - decay)
        self.updates += 1

    @torch.no_grad()
    def copy_to(self, network: nn.Module) -> None:
        for name, weight in network.named_parameters():
            weight.copy_(self.weights[name])

    def state_dict(self) -> dict[str, int | dict[str, Tensor]]:
        return {"updates": self.updates, "weights": self.weights}

    def load_state_dict(self, state: dict[str, int | dict[str, Tensor]]) -> None:
        self.updates = state["updates"]
        for name, weight in self.weights.items():
            weight.copy_(state["weights"][name])
