"""Trains the identity encoder and the UNet on cached latents: v-prediction, conditioned on a face's embedding."""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import trange

from training import RUNS, checkpoint
from training.alignment import arcface_crop
from training.learning_rate import learning_rate
from training.networks import IdentityEncoder, LatentDecoder, UNet
from training.published import Recogniser, load_recogniser
from training.schedule import signal_and_noise

UNCONDITIONAL = 0.1  # share of the rows that learn the unconditional context
MAX_DISTURBANCE = 0.3  # of the unit embedding: photos' embeddings lie off the generator's
SNR_LIMIT = 5.0  # min-SNR weighting (Hang et al., 2023)
AVERAGE_DECAY = 0.99
IDENTITY_TIMESTEPS = (200, 900)  # less noise leaves nothing to decide, more of it shows no face
SAVE_EVERY = 100


class IdentityLoss(nn.Module):
    """1 - cosine between the wanted embedding and that of the decoded latents, by frozen networks."""

    def __init__(self, decoder: LatentDecoder, recogniser: Recogniser) -> None:
        super().__init__()
        self.decoder, self.recogniser = decoder, recogniser

    def forward(self, latents: Tensor, landmarks: Tensor, embeddings: Tensor) -> Tensor:
        """Latents [B,4,16,16], landmarks [B,5,2], unit embeddings [B,256] -> [B]."""
        crops = arcface_crop(self.decoder(latents).float(), landmarks) * 127.5 + 127.5
        return 1 - F.cosine_similarity(self.recogniser(crops), embeddings)


class Training:
    """The networks, their averages and optimiser, and where in the schedule they are."""

    def __init__(
        self, runs: Path, steps: int, peak: float, identity_weight: float, identity_rows: int
    ) -> None:
        self.runs, self.steps, self.peak = runs, steps, peak
        self.identity_weight, self.identity_rows = identity_weight, identity_rows
        self.networks = nn.ModuleDict({"encoder": IdentityEncoder(), "unet": UNet()})
        self.networks.to(memory_format=torch.channels_last)
        self.average = {name: value.clone() for name, value in self.networks.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.networks.parameters(), peak, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.step = 0
        if (runs / checkpoint.DIFFUSION).exists():
            state = checkpoint.load(runs / checkpoint.DIFFUSION)
            self.networks.load_state_dict(state["weights"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.average = state["average"]
            self.step = state["step"]
        with np.load(runs / "latents.npz") as cache:
            self.latents = torch.from_numpy(cache["latents"].astype(np.float32))
            self.embeddings = torch.from_numpy(cache["embeddings"].astype(np.float32))
            self.landmarks = torch.from_numpy(cache["landmarks"])
        self.identity_loss = IdentityLoss(
            checkpoint.load_autoencoder(runs).decoder, checkpoint.freeze(load_recogniser())
        )
        self.alphas, self.sigmas = signal_and_noise()

    def save(self) -> None:
        networks = self.networks
        settings = {"encoder": networks["encoder"].settings, "unet": asdict(networks["unet"].settings)}
        state = {"settings": settings, "weights": networks.state_dict(), "average": self.average}
        state |= {"optimiser": self.optimiser.state_dict(), "step": self.step}
        checkpoint.save(state, self.runs / checkpoint.DIFFUSION)

    def draw_conditions(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Rows [B] -> the faces' or their mirror images' embeddings [B,256], and others near them as conditions."""
        mirrored = (rows + len(self.latents) // 2) % len(self.latents)
        chosen = torch.where(torch.rand(len(rows)) < 0.5, rows, mirrored)
        wanted = self.embeddings[chosen, 0]
        conditions = self.embeddings[chosen, torch.randint(self.embeddings.shape[1], (len(rows),))]
        disturbance = F.normalize(torch.randn_like(wanted)) * torch.rand(len(rows), 1) * MAX_DISTURBANCE
        return wanted, F.normalize(conditions + disturbance)

    def advance(self, batch: int) -> dict[str, float]:
        """One step of the optimiser; its losses."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.steps, self.peak)
        rows = torch.randint(len(self.latents), (batch,))
        wanted, conditions = self.draw_conditions(rows)
        timesteps = torch.randint(len(self.alphas), (batch,))
        alpha, sigma = (x[timesteps][:, None, None, None] for x in (self.alphas, self.sigmas))
        start = self.latents[rows]
        noise = torch.randn_like(start)
        noisy = (alpha * start + sigma * noise).contiguous(memory_format=torch.channels_last)

        with torch.autocast("cpu", torch.bfloat16):
            context, unconditional = self.networks["encoder"](conditions)
            conditional = torch.rand(batch) >= UNCONDITIONAL
            context = torch.where(conditional[:, None, None], context, unconditional)
            prediction = self.networks["unet"](noisy, timesteps[:, None].float(), context).float()
        error = (prediction - (alpha * noise - sigma * start)).square().mean((1, 2, 3))
        snr = (alpha / sigma).square().flatten()
        loss = (error * snr.clamp(max=SNR_LIMIT) / (snr + 1)).mean()
        losses = {"loss": error.mean().item()}

        if self.identity_weight > 0:
            first, last = IDENTITY_TIMESTEPS
            usable = conditional & (timesteps >= first) & (timesteps < last)
            chosen = usable.nonzero().flatten()
            chosen = chosen[torch.randperm(len(chosen))[: self.identity_rows]]
            predicted = alpha[chosen] * noisy[chosen] - sigma[chosen] * prediction[chosen]
            with torch.autocast("cpu", torch.bfloat16):
                distance = self.identity_loss(predicted, self.landmarks[rows[chosen]], wanted[chosen])
            loss = loss + self.identity_weight * distance.sum() / batch
            losses["identity"] = distance.mean().item()

        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        current = self.networks.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [current[name] for name in self.average], 1 - decay)
        self.step += 1
        return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--steps", type=int, default=4_500, help="where the learning rate ends")
    parser.add_argument("--until", type=int, help="stop at this step, to go on later")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--identity-weight", type=float, default=0.0, help="of the identity loss")
    parser.add_argument("--identity-rows", type=int, default=16, help="rows of a batch that it looks at")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    training = Training(
        arguments.runs,
        arguments.steps,
        arguments.learning_rate,
        arguments.identity_weight,
        arguments.identity_rows,
    )
    torch.manual_seed(arguments.seed + training.step)  # a resumed training does not repeat its first draws
    until = arguments.until or arguments.steps
    progress = trange(training.step, until, desc="diffusion", unit="step", initial=training.step, total=until)
    smooth: dict[str, float] = {}
    for _ in progress:
        for name, value in training.advance(arguments.batch).items():
            smooth[name] = value if name not in smooth else 0.98 * smooth[name] + 0.02 * value
        progress.set_postfix({name: f"{value:.4f}" for name, value in smooth.items()})
        if training.step % SAVE_EVERY == 0 or training.step == until:
            training.save()


if __name__ == "__main__":
    main()
