"""Trains the autoencoder: raw generator faces in, restored portraits out.

The latent encoder sees what the generator made, the decoder answers with what ESRGAN would have made of it. So
only a part of the faces need the slow restoration, and all of them have latents.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import trange

from training import RUNS, checkpoint
from training.alignment import arcface_crop, mirror, portrait
from training.learning_rate import learning_rate
from training.networks import Autoencoder
from training.published import Recogniser, load_recogniser
from training.restoration import to_array, to_tensor

LATENT_NOISE = 0.05  # of a latent's standard deviation: the UNet's latents will not be exact either
COLOUR_WEIGHT, EDGE_WEIGHT, FEATURE_WEIGHT, IDENTITY_WEIGHT = 2.0, 1.0, 0.05, 0.1
SAVE_EVERY = 100


def edges(image: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring pixels, across and down."""
    return image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]


def reconstruction_loss(
    recogniser: Recogniser, output: Tensor, target: Tensor, landmarks: Tensor
) -> tuple[Tensor, Tensor]:
    """L1 of pixels, areas and edges, and what a face recogniser sees; with it the mean absolute error of a pixel.

    Images [B,3,128,128] in -1..1.
    """
    absolute = F.l1_loss(output, target)
    colour = F.l1_loss(F.avg_pool2d(output, 8), F.avg_pool2d(target, 8))
    edge = sum(F.l1_loss(a, b) for a, b in zip(edges(output), edges(target), strict=True))
    crops = [arcface_crop(image, landmarks) * 127.5 + 127.5 for image in (output, target)]
    (seen, identity), (wanted, wanted_identity) = (recogniser.features_and_embedding(crop) for crop in crops)
    feature = sum(F.l1_loss(a, b) / b.abs().mean() for a, b in zip(seen, wanted, strict=True))
    distance = 1 - F.cosine_similarity(identity, wanted_identity).mean()
    loss = absolute + COLOUR_WEIGHT * colour + EDGE_WEIGHT * edge
    return loss + FEATURE_WEIGHT * feature + IDENTITY_WEIGHT * distance, absolute.detach()


def train(runs: Path, steps: int, batch: int, peak: float, seed: int, decoder_only: bool) -> None:
    """Trains up to `steps`, from the last checkpoint on, with the learning rate of `learning_rate`.

    `decoder_only` leaves the latents as they are, so that a UNet trained on them stays valid.
    """
    torch.manual_seed(seed)
    with np.load(runs / "faces.npz") as faces:
        small, landmarks = faces["images"], torch.from_numpy(faces["landmarks"])
    portraits = np.load(runs / "portraits.npy", mmap_mode="r")
    recogniser = checkpoint.freeze(load_recogniser())
    network = Autoencoder().to(memory_format=torch.channels_last)
    if decoder_only:
        network.encoder.requires_grad_(False)
        network.normalise.eval()  # its running statistics are the latents' scale
    optimiser = torch.optim.AdamW(network.parameters(), peak, weight_decay=1e-3, betas=(0.9, 0.99))
    done = 0
    if (runs / checkpoint.AUTOENCODER).exists():
        state = checkpoint.load(runs / checkpoint.AUTOENCODER)
        network.load_state_dict(state["weights"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["step"]

    order = np.random.default_rng((seed, done))
    progress = trange(done, steps, desc="autoencoder", unit="step", initial=done, total=steps)
    for step in progress:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        chosen = order.choice(len(portraits), batch, replace=False)
        target = to_tensor(portraits[np.sort(chosen)]) / 127.5 - 1
        chosen = np.sort(chosen)
        source, points = portrait(to_tensor(small[chosen]) / 127.5 - 1, landmarks[chosen])
        if order.random() < 0.5:
            target, (source, points) = target.flip(-1), mirror(source, points)
        with torch.autocast("cpu", torch.bfloat16):
            latents = network.encode(source.contiguous(memory_format=torch.channels_last))
            output = network.decoder(latents + LATENT_NOISE * torch.randn_like(latents)).float()
        loss, absolute = reconstruction_loss(recogniser, output, target, points)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        progress.set_postfix(loss=f"{loss.item():.4f}", error=f"{absolute.item() * 127.5:.2f}/255")
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            state = {"settings": network.settings, "weights": network.state_dict(), "step": step + 1}
            state |= {"optimiser": optimiser.state_dict()}
            checkpoint.save(state, runs / checkpoint.AUTOENCODER)


@torch.inference_mode()
def evaluate(runs: Path) -> float:
    """PSNR in dB over the held-out faces; their reconstructions go to autoencoder.npy beside the checkpoint."""
    network = checkpoint.load_autoencoder(runs)
    with np.load(runs / "held_out.npz") as faces:
        small, landmarks = faces["images"], torch.from_numpy(faces["landmarks"])
    portraits = np.load(runs / "held_out_portraits.npy")
    source, _ = portrait(to_tensor(small) / 127.5 - 1, landmarks)
    output = to_array(network.decoder(network.encode(source)) * 127.5 + 127.5)
    np.save(runs / "autoencoder.npy", output)
    errors = (output.astype(np.float64) - portraits) ** 2
    return float(np.mean(10 * np.log10(255**2 / errors.mean((1, 2, 3)))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--steps", type=int, default=1_400)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--decoder-only", action="store_true", help="leave the latents as they are")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(
        arguments.runs,
        arguments.steps,
        arguments.batch,
        arguments.learning_rate,
        arguments.seed,
        arguments.decoder_only,
    )
    print(f"PSNR on held-out faces: {evaluate(arguments.runs):.1f} dB")


if __name__ == "__main__":
    main()
