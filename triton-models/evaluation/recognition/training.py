"""Trains the small recogniser on one folder's identities; the same for every folder that is compared."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation.progress import Bar
from evaluation.recognition.network import CosFace, Recogniser
from evaluation.recognition.verification import Embed

BATCH = 64
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 5e-2
SHIFT = 6  # pixels, at most
DIM = 0.3  # change of brightness and contrast, at most


def train(people: Sequence[np.ndarray], steps: int, seed: int) -> Embed:
    """From each identity's crops [n,112,112,3] to a function that embeds crops; `steps` batches, one-cycle schedule."""
    torch.manual_seed(seed)
    crops = torch.from_numpy(np.concatenate(people)).permute(0, 3, 1, 2)  # [N,3,112,112] uint8
    labels = torch.repeat_interleave(torch.arange(len(people)), torch.tensor([len(p) for p in people]))
    network = Recogniser().to(memory_format=torch.channels_last)
    loss = CosFace(len(people))
    parameters = [*network.parameters(), *loss.parameters()]
    optimiser = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, steps)
    order = torch.randperm(len(crops))
    start = 0
    with Bar(f"{len(people)} identities", steps) as bar:
        for _ in range(steps):
            if start + BATCH > len(order):
                order, start = torch.randperm(len(crops)), 0
            batch = order[start : start + BATCH]
            start += BATCH
            optimiser.zero_grad()
            loss(network(augment(crops[batch].float())), labels[batch]).backward()
            optimiser.step()
            schedule.step()
            bar.advance()
    network.eval()

    @torch.inference_mode()
    def embed(faces: np.ndarray) -> np.ndarray:
        rows = torch.from_numpy(faces).permute(0, 3, 1, 2).split(256)
        return torch.cat([network(part.float()) for part in rows]).numpy()

    return embed


def augment(faces: Tensor) -> Tensor:
    """Crops [B,3,112,112], each mirrored or not, shifted, in another light, and now and then of fewer pixels."""
    batch, _, side, _ = faces.shape
    mirrored = torch.rand(batch, 1, 1, 1) < 0.5
    faces = torch.where(mirrored, faces.flip(-1), faces)
    padded = F.pad(faces, [SHIFT] * 4, mode="replicate")
    x, y = torch.randint(0, 2 * SHIFT + 1, (2,)).tolist()
    faces = padded[:, :, y : y + side, x : x + side]
    light, contrast = (torch.empty(batch, 1, 1, 1).uniform_(1 - DIM, 1 + DIM) for _ in range(2))
    means = faces.mean((1, 2, 3), keepdim=True)
    faces = (means + (faces - means) * contrast) * light
    if torch.rand(()) < 0.3:
        small = int(torch.randint(40, side, ()))
        faces = F.interpolate(F.interpolate(faces, size=small, mode="area"), size=side, mode="bilinear")
    return faces.clamp(0, 255).contiguous(memory_format=torch.channels_last)
