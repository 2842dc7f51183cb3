"""How far a decoded portrait is from the one that it stands for, to the eye and to a face recogniser."""

import torch
from torch import Tensor
from torch.nn import functional as F

from training.alignment import arcface_crop
from training.published import Recogniser

COLOUR, EDGE, TEXTURE, FEATURE, IDENTITY = 2.0, 1.0, 1.0, 0.05, 0.1  # weights beside the pixels'
AREA = 8  # pixels


def edges(image: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring pixels, across and down."""
    return image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]


def gradient_energy(image: Tensor) -> Tensor:
    """Mean squared difference between neighbouring pixels of each image [B,C,h,w]: [B]."""
    return sum(edge.square().mean((1, 2, 3)) for edge in edges(image))


def texture(image: Tensor) -> Tensor:
    """Root of the gradient energy of each area [B,C,h/8,w/8]: how sharp it is, wherever exactly its edges lie."""
    energies = [F.avg_pool2d(edge.square(), AREA, ceil_mode=True) for edge in edges(image)]
    return (sum(energies) + 1e-6).sqrt()


def reconstruction_loss(
    recogniser: Recogniser, output: Tensor, target: Tensor, landmarks: Tensor
) -> tuple[Tensor, Tensor]:
    """The loss, and the mean absolute error of a pixel. Images [B,3,128,128] in -1..1, landmarks [B,5,2].

    L1 of pixels, of areas' colours, of edges and of texture (without which L1 prefers blurred to misplaced detail);
    L1 of the activations of the recogniser that conditions the model, and the cosine of its embeddings.
    """
    absolute = F.l1_loss(output, target)
    colour = F.l1_loss(F.avg_pool2d(output, AREA), F.avg_pool2d(target, AREA))
    edge = sum(F.l1_loss(a, b) for a, b in zip(edges(output), edges(target), strict=True))
    sharpness = F.l1_loss(texture(output), texture(target))
    seen, identity = recogniser.features_and_embedding(arcface_crop(output, landmarks) * 127.5 + 127.5)
    with torch.no_grad():
        crops = arcface_crop(target, landmarks) * 127.5 + 127.5
        wanted, wanted_identity = recogniser.features_and_embedding(crops)
    feature = sum(F.l1_loss(a, b) / b.abs().mean() for a, b in zip(seen, wanted, strict=True))
    distance = 1 - F.cosine_similarity(identity, wanted_identity).mean()
    loss = (
        absolute
        + COLOUR * colour
        + EDGE * edge
        + TEXTURE * sharpness
        + FEATURE * feature
        + IDENTITY * distance
    )
    return loss, absolute.detach()
