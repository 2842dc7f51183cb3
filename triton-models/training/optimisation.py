"""AdamW with the learning rate of the step, clipped gradients and averaged weights: what every stage has in common."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from training.average import Average
from training.learning_rate import learning_rate

BETAS, WEIGHT_DECAY, MAX_NORM = (0.9, 0.99), 0.01, 1.0


class Optimisation:
    """Moves a network's weights down a loss; `step` counts how often it has done so."""

    def __init__(self, network: nn.Module, steps: int, peak: float, decay: float) -> None:
        self.network, self.steps, self.peak = network, steps, peak
        self.optimiser = torch.optim.AdamW(
            network.parameters(), peak, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.average = Average(network, decay)
        self.step = 0

    def descend(self, loss: Tensor) -> None:
        """One step; weights that have no gradient stay."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.steps, self.peak)
        loss.backward()
        nn.utils.clip_grad_norm_(self._moved(), MAX_NORM)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.average.update(self.network)
        self.step += 1

    def _moved(self) -> Iterable[nn.Parameter]:
        return (weight for weight in self.network.parameters() if weight.grad is not None)

    def state(self) -> dict[str, Any]:
        return {
            "weights": self.network.state_dict(),
            "average": self.average.weights,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["weights"])
        self.average.load_state_dict({"updates": state["step"], "weights": state["average"]})
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


class Optimised:
    """A stage of training, as `loop.run` takes it, whose state is that of its optimisation."""

    optimisation: Optimisation

    @property
    def step(self) -> int:
        return self.optimisation.step

    def state(self) -> dict[str, Any]:
        return self.optimisation.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.optimisation.restore(state)
