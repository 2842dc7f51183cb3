"""Distils the guided UNet into one for few steps, a latent consistency model (Luo et al., 2023).

The consistency function f maps noisy latents of any of the scheduler's timesteps to the clean end of the guided
sampling through them. The student learns that f is the same at both ends of a piece of that sampling, which the
teacher goes in a few DDIM steps. Guidance is baked in: the student is served at scale 1, one row a picture.
"""

import argparse
import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from training import RUNS, checkpoint, device, loop
from training.identity_loss import IdentityLoss, load_identity_loss
from training.latents import LatentFaces
from training.optimisation import Optimisation, Optimised
from training.reward import GUIDANCE, guided
from training.schedule import SCHEDULER_CONFIG, TIMESTEPS, ddim, level

ORIGINAL_STEPS = 50  # the scheduler picks its few timesteps out of so many
STRIDE = TIMESTEPS // ORIGINAL_STEPS
LCM_CONFIG = {**SCHEDULER_CONFIG, "original_inference_steps": ORIGINAL_STEPS, "timestep_scaling": 10.0}
SIGMA_DATA = 0.5
SERVED_STEPS = (1, 2, 3, 4)
SERVED_SHARE = 0.5  # of the rows start where the served samplings do, the others anywhere
HOPS, HOP = 2, 3  # the teacher's DDIM steps between the ends, each so many of ORIGINAL_STEPS long
HUBER = 1e-3
AVERAGE_DECAY = 0.995


def served_indices() -> Tensor:
    """Which of ORIGINAL_STEPS' timesteps, from 1, the served samplings use: [M]."""
    return torch.tensor(
        sorted(
            {
                ORIGINAL_STEPS - int(i * (ORIGINAL_STEPS / steps))
                for steps in SERVED_STEPS
                for i in range(steps)
            }
        )
    )


def to_timesteps(indices: Tensor) -> Tensor:
    """Timesteps of indices 1..ORIGINAL_STEPS: 19, 39, ... 999; index 0, the clean end, is timestep 0."""
    return (indices * STRIDE - 1).clamp(min=0)


def boundary_scalings(timesteps: Tensor) -> tuple[Tensor, Tensor]:
    """c_skip and c_out [B,1,1,1] of f = c_skip x + c_out x_0, which make f(x) = x at timestep 0."""
    scaled = timesteps[:, None, None, None].float() * LCM_CONFIG["timestep_scaling"]
    to_boundary = scaled.square() + SIGMA_DATA**2
    return SIGMA_DATA**2 / to_boundary, scaled / to_boundary.sqrt()


def consistency(unet: nn.Module, noisy: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
    """f of noisy latents [B,4,16,16] at timesteps [B] under a context [B,T,C]."""
    with device.autocast(noisy):
        channels_last = noisy.contiguous(memory_format=torch.channels_last)
        velocity = unet(channels_last, timesteps[:, None].float(), context).float()
    skip, out = boundary_scalings(timesteps)
    return skip * noisy + out * level(timesteps).start(noisy, velocity)


def pseudo_huber(difference: Tensor) -> Tensor:
    """Nearly the absolute value, smooth at 0; its mean."""
    return ((difference.square() + HUBER**2).sqrt() - HUBER).mean()


class DistillationTraining(Optimised):
    """`teacher` is encoder and UNet, frozen; the optimisation's network is the student UNet."""

    def __init__(
        self,
        faces: LatentFaces,
        teacher: nn.ModuleDict,
        identity_loss: IdentityLoss,
        optimisation: Optimisation,
        batch: int,
        identity_rows: int,
        identity_weight: float,
    ) -> None:
        self.faces, self.teacher, self.identity_loss = faces, teacher, identity_loss
        self.optimisation, self.batch = optimisation, batch
        self.identity_rows, self.identity_weight = identity_rows, identity_weight
        self.target = copy.deepcopy(optimisation.network).requires_grad_(False)

    def draw_indices(self) -> Tensor:
        """Where each row starts, [B] of 1..ORIGINAL_STEPS."""
        where = self.faces.latents.device
        served = served_indices().to(where)
        anywhere = torch.randint(1, ORIGINAL_STEPS + 1, (self.batch,), device=where)
        chosen = served[torch.randint(len(served), (self.batch,), device=where)]
        return torch.where(torch.rand(self.batch, device=where) < SERVED_SHARE, chosen, anywhere)

    @torch.no_grad()
    def follow(self, noisy: Tensor, indices: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's guided sampling, HOPS steps on from these indices [B] or to the end: latents, indices."""
        for _ in range(HOPS):
            following = (indices - HOP).clamp(min=0)
            here, there = to_timesteps(indices), to_timesteps(following)
            velocity = guided(self.teacher, noisy, here, conditions, GUIDANCE)
            noisy, indices = ddim(noisy, velocity, level(here), level(there)), following
        return noisy, indices

    def advance(self) -> dict[str, float]:
        faces, indices = self.faces.draw(self.batch), self.draw_indices()
        timesteps = to_timesteps(indices)
        noisy = level(timesteps).noisy(faces.latents, torch.randn_like(faces.latents))
        with torch.no_grad():
            context, _ = self.teacher["encoder"](faces.conditions)
            end, reached = self.follow(noisy, indices, faces.conditions)
            self.target.load_state_dict(self.optimisation.average.weights)
            wanted = consistency(self.target, end, to_timesteps(reached), context)
        answer = consistency(self.optimisation.network, noisy, timesteps, context)
        loss = pseudo_huber(answer - wanted)
        seen = slice(self.identity_rows)
        distance = self.identity_loss(answer[seen], faces.landmarks[seen], faces.wanted[seen]).mean()
        self.optimisation.descend(loss + self.identity_weight * distance)
        return {"loss": loss.item(), "identity": distance.item()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--steps", type=int, default=2_500, help="where the learning rate ends")
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument(
        "--identity-rows", type=int, default=8, help="rows of a batch that the identity loss sees"
    )
    parser.add_argument("--identity-weight", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    device.add_argument(parser)
    arguments = parser.parse_args()
    runs = arguments.runs
    torch.manual_seed(arguments.seed)
    teacher = device.place(checkpoint.load_diffusion(runs / checkpoint.DIFFUSION[2]), arguments.device)
    student = copy.deepcopy(teacher["unet"])
    training = DistillationTraining(
        LatentFaces.load(runs, strict=False, where=arguments.device),
        checkpoint.freeze(teacher),
        load_identity_loss(runs, arguments.device),
        Optimisation(student, arguments.steps, arguments.learning_rate, AVERAGE_DECAY),
        arguments.batch,
        arguments.identity_rows,
        arguments.identity_weight,
    )
    loop.run(training, runs / checkpoint.DISTILLED, arguments.steps)


if __name__ == "__main__":
    main()
