"""A recogniser small enough to be trained from nothing in minutes on two cores, and the margin that trains it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EMBEDDING = 128
MARGIN, SCALE = 0.2, 24.0  # below CosFace's 0.35 and 64: few pictures of few people


def _block(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()
    )


class Recogniser(nn.Module):
    """Crops [B,3,112,112] in 0..255 -> embeddings [B,128]; about 60 million multiplications a face."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.AvgPool2d(2),  # [B,3,56,56]
            _block(3, 32, 2),  # [B,32,28,28]
            _block(32, 48, 1),
            _block(48, 96, 2),  # [B,96,14,14]
            _block(96, 96, 1),
            _block(96, 160, 2),  # [B,160,7,7]
            _block(160, 160, 1),
        )
        # As ArcFace ends: normalised, thinned out, one dense layer, normalised.
        self.embedding = nn.Sequential(
            nn.BatchNorm2d(160),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(160 * 7 * 7, EMBEDDING, bias=False),
            nn.BatchNorm1d(EMBEDDING),
        )

    def forward(self, face: Tensor) -> Tensor:
        return self.embedding(self.features((face - 127.5) / 128))


class CosFace(nn.Module):
    """Large-margin cosine loss (Wang et al., 2018): embeddings [B,D] and labels [B] -> a scalar."""

    def __init__(self, identities: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(identities, EMBEDDING) * 0.01)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        cosines = F.normalize(embeddings) @ F.normalize(self.centres).T  # [B,I]
        margins = MARGIN * F.one_hot(labels, len(self.centres))
        return F.cross_entropy(SCALE * (cosines - margins), labels)
