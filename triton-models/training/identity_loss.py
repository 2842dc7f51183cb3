"""How far the people in latents are from those that were asked for."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training import checkpoint
from training.alignment import arcface_crop, mirror
from training.augmentation import disturb
from training.device import autocast
from training.networks import LatentDecoder
from training.published import Recogniser, load_recogniser


class IdentityLoss(nn.Module):
    """1 - cosine between the wanted embedding and that of the decoded latents, by frozen networks.

    The recogniser sees the picture mirrored or not, in other light, with noise, at jittered landmarks: what would
    please it in one exact picture only does not pay.
    """

    def __init__(self, decoder: LatentDecoder, recogniser: Recogniser) -> None:
        super().__init__()
        self.decoder, self.recogniser = decoder, recogniser

    def forward(self, latents: Tensor, landmarks: Tensor, wanted: Tensor) -> Tensor:
        """Latents [B,4,16,16], landmarks [B,5,2] of their faces, unit embeddings [B,256] -> [B]."""
        with autocast(latents):
            image = self.decoder(latents.contiguous(memory_format=torch.channels_last)).float()
        turned = torch.rand(len(image), device=image.device) < 0.5
        image, landmarks = (
            torch.where(turned.reshape(-1, *[1] * (plain.ndim - 1)), other, plain)
            for plain, other in zip((image, landmarks), mirror(image, landmarks), strict=True)
        )
        image, landmarks = disturb(image, landmarks)
        embeddings = self.recogniser(arcface_crop(image, landmarks) * 127.5 + 127.5)
        return 1 - F.cosine_similarity(embeddings, wanted)


def load_identity_loss(runs: Path, device: torch.device) -> IdentityLoss:
    decoder = checkpoint.load_autoencoder(runs).decoder.to(memory_format=torch.channels_last)
    return IdentityLoss(decoder, checkpoint.freeze(load_recogniser())).to(device)
