"""Trains the autoencoder on the portraits: first both halves, then the decoder alone.

The second part leaves the latents as they are, so that all that follows may start from them.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from training import RUNS, checkpoint, device, loop
from training.alignment import mirror
from training.networks import Autoencoder
from training.optimisation import Optimisation, Optimised
from training.pixels import to_array, to_tensor
from training.published import Recogniser, load_recogniser
from training.reconstruction import gradient_energy, reconstruction_loss

LATENT_NOISE = (
    0.1,
    0.05,
)  # of a latent's standard deviation, in the two parts: the UNet's are not exact either
AVERAGE_DECAY = 0.998
BATCH = 32  # of the measurement


class AutoencoderTraining(Optimised):
    """Portraits [N,128,128,3] uint8 and their landmarks [N,5,2]; the encoder is trained up to `encoder_steps`."""

    def __init__(
        self,
        portraits: np.ndarray,
        landmarks: np.ndarray,
        recogniser: Recogniser,
        network: Autoencoder,
        optimisation: Optimisation,
        encoder_steps: int,
        batch: int,
    ) -> None:
        self.portraits, self.landmarks = portraits, torch.from_numpy(landmarks)
        self.recogniser, self.network, self.optimisation = recogniser, network, optimisation
        self.encoder_steps, self.batch = encoder_steps, batch

    def advance(self) -> dict[str, float]:
        joint = self.step < self.encoder_steps
        self.network.encoder.requires_grad_(joint)
        self.network.normalise.train(joint)  # its running statistics are the latents' scale
        if self.step == self.encoder_steps:
            self._settle()
        rows = torch.randint(len(self.portraits), (self.batch,)).sort().values
        where = device.of(self.network)
        portrait = to_tensor(self.portraits[rows.numpy()], where) / 127.5 - 1
        points = self.landmarks[rows].to(where)
        if torch.rand(()) < 0.5:
            portrait, points = mirror(portrait, points)
        with device.autocast(portrait):
            latents = self.network.encode(portrait.contiguous(memory_format=torch.channels_last))
            noisy = latents + LATENT_NOISE[not joint] * torch.randn_like(latents)
            output = self.network.decoder(noisy).float()
        loss, absolute = reconstruction_loss(self.recogniser, output, portrait, points)
        self.optimisation.descend(loss)
        return {"loss": loss.item(), "error": absolute.item() * 127.5}

    def _settle(self) -> None:
        """Goes on from the averaged encoder: it is the one whose latents everything else will see."""
        averaged = {
            k: v for k, v in self.optimisation.average.weights.items() if not k.startswith("decoder.")
        }
        self.network.load_state_dict(averaged, strict=False)

    def state(self) -> dict[str, Any]:
        return {"settings": self.network.settings, **super().state()}


@torch.inference_mode()
def evaluate(network: Autoencoder, portraits: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Portraits [N,128,128,3] as decoded, their mean PSNR in dB, and their gradient energy per original's."""
    decoded = np.empty_like(portraits)
    shares, errors = [], []
    for start in tqdm(range(0, len(portraits), BATCH), desc="measure", unit="batch"):
        part = slice(start, start + BATCH)
        original = to_tensor(portraits[part])
        output = (network.decoder(network.encode(original / 127.5 - 1)) * 127.5 + 127.5).clamp(0, 255).round()
        decoded[part] = to_array(output)
        errors.append((output - original).square().mean((1, 2, 3)))
        shares.append(gradient_energy(output) / gradient_energy(original))
    psnr = (10 * torch.log10(255**2 / torch.cat(errors))).mean()
    return decoded, psnr.item(), torch.cat(shares).mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--steps", type=int, default=4_500, help="where the learning rate ends")
    parser.add_argument("--encoder-steps", type=int, default=2_000, help="of them for both halves")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    device.add_argument(parser)
    arguments = parser.parse_args()
    runs = arguments.runs
    torch.manual_seed(arguments.seed)
    network = device.place(Autoencoder(), arguments.device)
    with np.load(runs / "data.npz") as data:
        landmarks = data["landmarks"]
    stage = AutoencoderTraining(
        np.load(runs / "portraits.npy", mmap_mode="r"),
        landmarks,
        checkpoint.freeze(load_recogniser()).to(arguments.device),
        network,
        Optimisation(network, arguments.steps, arguments.learning_rate, AVERAGE_DECAY),
        arguments.encoder_steps,
        arguments.batch,
    )
    loop.run(stage, runs / checkpoint.AUTOENCODER, arguments.steps)
    portraits = np.load(runs / "held_out_portraits.npy")
    decoded, psnr, energy = evaluate(checkpoint.load_autoencoder(runs), portraits)
    np.save(runs / "autoencoder.npy", decoded)
    print(f"held-out portraits: {psnr:.1f} dB, {energy:.2f} of the originals' gradient energy")


if __name__ == "__main__":
    main()
