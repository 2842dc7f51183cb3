"""Teaches whole samplings to keep the identity: the identity loss on the networks' own trajectories.

As DRaFT (Clark et al., 2024) it goes back from the finished picture into the networks, with guidance as it is served,
but the samplings run as a pipeline: a pool holds latents at every phase of a short DDIM sampling, each step of the
training moves all of them one phase on, and those of the last phases, where a face shows, are judged by the picture
that they point to. So no sampling is thrown away, and every step judges every late phase. The plain diffusion loss on
faces of the training set goes on beside it, so that the pictures of a person do not become one.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training import RUNS, checkpoint, device, loop
from training.alignment import PORTRAIT_TEMPLATE
from training.diffusion import AVERAGE_DECAY, Denoised
from training.identity_loss import IdentityLoss, load_identity_loss
from training.latents import LatentFaces
from training.networks import LATENT_CHANNELS, LATENT_SIZE
from training.optimisation import Optimisation, Optimised
from training.schedule import TIMESTEPS, ddim, level

PHASES = 10
JUDGED = 5  # the last of them
GUIDANCE = 1.5


def guided(
    networks: nn.ModuleDict, noisy: Tensor, timesteps: Tensor, conditions: Tensor, scale: float
) -> Tensor:
    """v [B,4,16,16] under classifier-free guidance; the unconditional prediction is no part of what is trained."""
    noisy = noisy.contiguous(memory_format=torch.channels_last)
    times = timesteps[:, None].float()
    with device.autocast(noisy):
        context, unconditional_context = networks["encoder"](conditions)
        conditional = networks["unet"](noisy, times, context).float()
        with torch.no_grad():
            unconditional = networks["unet"](noisy, times, unconditional_context).float()
    return unconditional + scale * (conditional - unconditional)


class Pool:
    """Samplings in progress, `rows` at each phase: latents [P,R,4,16,16], conditions and wanted [P,R,256]."""

    def __init__(self, faces: LatentFaces, rows: int) -> None:
        """Starts from noisy faces, as if they had been sampled up to their phases."""
        stride = TIMESTEPS // PHASES
        where = faces.latents.device
        self.timesteps = torch.arange(TIMESTEPS - 1, 0, -stride, device=where)  # 999, 899, ... 99
        self.faces, self.rows = faces, rows
        draws = [faces.draw(rows) for _ in self.timesteps]
        starts = torch.stack([draw.latents for draw in draws])
        noisy = [
            level(timestep.expand(rows)).noisy(start, torch.randn_like(start))
            for timestep, start in zip(self.timesteps, starts, strict=True)
        ]
        self.latents = torch.stack(noisy)
        self.conditions = torch.stack([draw.conditions for draw in draws])
        self.wanted = torch.stack([draw.wanted for draw in draws])

    def move_on(self, latents: Tensor) -> None:
        """Takes what became of the latents [P,R,4,16,16]: the last are finished, new noise comes in first."""
        draw = self.faces.draw(self.rows)
        noise = torch.randn(1, self.rows, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE, device=latents.device)
        self.latents = torch.cat([noise, latents[:-1]])
        self.conditions = torch.cat([draw.conditions[None], self.conditions[:-1]])
        self.wanted = torch.cat([draw.wanted[None], self.wanted[:-1]])

    def state(self) -> dict[str, Tensor]:
        return {"latents": self.latents, "conditions": self.conditions, "wanted": self.wanted}

    def restore(self, state: dict[str, Tensor]) -> None:
        where = self.latents.device
        self.latents, self.conditions, self.wanted = (
            state[name].to(where) for name in ("latents", "conditions", "wanted")
        )


class RewardTraining(Optimised):
    """Identity loss on the pool's late phases, diffusion loss on `batch` faces."""

    def __init__(
        self,
        faces: LatentFaces,
        identity_loss: IdentityLoss,
        optimisation: Optimisation,
        batch: int,
        pool_rows: int,
        identity_weight: float,
    ) -> None:
        self.faces, self.identity_loss, self.optimisation = faces, identity_loss, optimisation
        self.batch, self.identity_weight = batch, identity_weight
        self.pool = Pool(faces, pool_rows)

    def advance(self) -> dict[str, float]:
        pool, early = self.pool, PHASES - JUDGED
        with torch.no_grad():
            first, _ = self._sample(slice(0, early))
        second, starts = self._sample(slice(early, PHASES))
        wanted = pool.wanted[early:].flatten(0, 1)
        # Portraits are aligned, so a new one has its landmarks about where all of them have.
        landmarks = PORTRAIT_TEMPLATE.to(wanted.device).expand(len(wanted), 5, 2)
        distance = self.identity_loss(starts, landmarks, wanted)
        denoised = Denoised(self.optimisation.network, self.faces.draw(self.batch))
        self.optimisation.descend(denoised.loss() + self.identity_weight * distance.mean())
        pool.move_on(torch.cat([first, second.detach()]).unflatten(0, (PHASES, pool.rows)))
        return {
            "loss": denoised.errors().mean().item(),
            "identity": distance.mean().item(),
            "finished": distance[-pool.rows :].mean().item(),
        }

    def _sample(self, phases: slice) -> tuple[Tensor, Tensor]:
        """Latents of these phases one step on, and the pictures that they point to: [p*R,4,16,16] each."""
        pool = self.pool
        noisy, conditions = pool.latents[phases].flatten(0, 1), pool.conditions[phases].flatten(0, 1)
        following = torch.cat([pool.timesteps[1:], pool.timesteps.new_zeros(1)])
        here, there = (t[phases].repeat_interleave(pool.rows) for t in (pool.timesteps, following))
        velocity = guided(self.optimisation.network, noisy, here, conditions, GUIDANCE)
        return ddim(noisy, velocity, level(here), level(there)), level(here).start(noisy, velocity)

    def state(self) -> dict[str, Any]:
        settings = checkpoint.diffusion_settings(self.optimisation.network)
        return {"settings": settings, "pool": self.pool.state(), **super().state()}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.pool.restore(state["pool"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--steps", type=int, default=3_000, help="where the learning rate ends")
    parser.add_argument("--batch", type=int, default=16, help="rows of the diffusion loss")
    parser.add_argument("--pool-rows", type=int, default=2, help="samplings at each of the phases")
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--identity-weight", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    device.add_argument(parser)
    arguments = parser.parse_args()
    runs = arguments.runs
    torch.manual_seed(arguments.seed)
    networks = device.place(checkpoint.load_diffusion(runs / checkpoint.DIFFUSION[1]), arguments.device)
    training = RewardTraining(
        LatentFaces.load(runs, strict=False, where=arguments.device),
        load_identity_loss(runs, arguments.device),
        Optimisation(networks, arguments.steps, arguments.learning_rate, AVERAGE_DECAY),
        arguments.batch,
        arguments.pool_rows,
        arguments.identity_weight,
    )
    loop.run(training, runs / checkpoint.DIFFUSION[2], arguments.steps)


if __name__ == "__main__":
    main()
