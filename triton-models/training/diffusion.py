"""Trains identity encoder and UNet on cached latents: v-prediction, conditioned on a face's embedding.

Stage 1 sees all faces; stage 2 goes on from it, on the strict subset.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training import RUNS, checkpoint, device, loop
from training.identity_loss import IdentityLoss, load_identity_loss
from training.latents import Draw, LatentFaces
from training.optimisation import Optimisation, Optimised
from training.schedule import TIMESTEPS, Level, level

UNCONDITIONAL = 0.1  # share of the rows that learn the unconditional context
AVERAGE_DECAY = 0.999
IDENTITY_TIMESTEPS = (50, 700)  # more noise shows no face, less leaves nothing to decide
# By stage: steps, highest learning rate, and from which step on there is an identity loss.
STAGES = {1: (9_000, 1e-3, 4_000), 2: (2_000, 4e-4, 0)}


class Denoised:
    """What the networks make of noisy faces: predictions of v [B,4,16,16], and which rows saw their condition [B]."""

    def __init__(self, networks: nn.ModuleDict, faces: Draw) -> None:
        rows = len(faces.latents)
        timesteps = torch.randint(TIMESTEPS, (rows,), device=faces.latents.device)
        noise = torch.randn_like(faces.latents)
        self.faces, self.timesteps, self.level = faces, timesteps, level(timesteps)
        self.noisy = self.level.noisy(faces.latents, noise)
        self.target = self.level.velocity(faces.latents, noise)
        with device.autocast(faces.latents):
            context, unconditional = networks["encoder"](faces.conditions)
            self.conditional = torch.rand(rows, device=faces.latents.device) >= UNCONDITIONAL
            context = torch.where(self.conditional[:, None, None], context, unconditional)
            channels_last = self.noisy.contiguous(memory_format=torch.channels_last)
            self.velocity = networks["unet"](channels_last, timesteps[:, None].float(), context).float()

    def errors(self) -> Tensor:
        """Mean squared error of each row's v: [B]."""
        return (self.velocity - self.target).square().mean((1, 2, 3))

    def loss(self) -> Tensor:
        return (self.errors() * self.level.min_snr_weight()).mean()

    def identity(self, loss: IdentityLoss, most_rows: int) -> Tensor:
        """The identity loss of up to so many rows that have a face to show: [N]."""
        first, last = IDENTITY_TIMESTEPS
        usable = self.conditional & (self.timesteps >= first) & (self.timesteps < last)
        rows = usable.nonzero().flatten()[:most_rows]
        if not len(rows):
            return self.velocity.new_zeros(0)
        there = Level(self.level.alpha[rows], self.level.sigma[rows])
        start = there.start(self.noisy[rows], self.velocity[rows])
        return loss(start, self.faces.landmarks[rows], self.faces.wanted[rows])


class DiffusionTraining(Optimised):
    """Plain diffusion loss, and from a step on an identity loss on some rows beside it."""

    def __init__(
        self,
        faces: LatentFaces,
        identity_loss: IdentityLoss,
        optimisation: Optimisation,
        batch: int,
        identity_from: int,
        identity_rows: int,
        identity_weight: float,
    ) -> None:
        self.faces, self.identity_loss, self.optimisation = faces, identity_loss, optimisation
        self.batch, self.identity_from = batch, identity_from
        self.identity_rows, self.identity_weight = identity_rows, identity_weight

    def advance(self) -> dict[str, float]:
        denoised = Denoised(self.optimisation.network, self.faces.draw(self.batch))
        loss = denoised.loss()
        losses = {"loss": denoised.errors().mean().item()}
        if self.step >= self.identity_from:
            distance = denoised.identity(self.identity_loss, self.identity_rows)
            loss = loss + self.identity_weight * distance.sum() / self.identity_rows
            if len(distance):
                losses["identity"] = distance.mean().item()
        self.optimisation.descend(loss)
        return losses

    def state(self) -> dict[str, Any]:
        return {
            "settings": checkpoint.diffusion_settings(self.optimisation.network),
            **super().state(),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--stage", type=int, choices=STAGES, required=True)
    parser.add_argument("--steps", type=int, help="where the learning rate ends")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--identity-from", type=int, metavar="STEP")
    parser.add_argument(
        "--identity-rows", type=int, default=8, help="rows of a batch that the identity loss sees"
    )
    parser.add_argument("--identity-weight", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    device.add_argument(parser)
    arguments = parser.parse_args()
    runs, stage = arguments.runs, arguments.stage
    steps, peak, identity_from = (
        default if given is None else given
        for given, default in zip(
            (arguments.steps, arguments.learning_rate, arguments.identity_from), STAGES[stage], strict=True
        )
    )
    torch.manual_seed(arguments.seed)
    before = None if stage == 1 else checkpoint.load_diffusion(runs / checkpoint.DIFFUSION[stage - 2])
    networks = device.place(before or checkpoint.build_diffusion(), arguments.device)
    training = DiffusionTraining(
        LatentFaces.load(runs, strict=stage == 2, where=arguments.device),
        load_identity_loss(runs, arguments.device),
        Optimisation(networks, steps, peak, AVERAGE_DECAY),
        arguments.batch,
        identity_from,
        arguments.identity_rows,
        arguments.identity_weight,
    )
    loop.run(training, runs / checkpoint.DIFFUSION[stage - 1], steps)


if __name__ == "__main__":
    main()
