"""Networks of the shapes that training has, small enough for tests."""

from torch import Tensor, nn
from torch.nn import functional as F

from training.networks import EMBEDDING, Autoencoder

DIFFUSION = {"encoder": {"hidden": 32}, "unet": {"channels": (16, 16, 16), "conditioning": 16}}


def small_autoencoder() -> Autoencoder:
    return Autoencoder(finest=8, fine=8, coarse=16)


class SmallRecogniser(nn.Module):
    """Something differentiable from aligned pictures [B,3,112,112] in 0..255 to embeddings [B,256]."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 7, stride=7)
        self.projection = nn.Linear(8 * 16 * 16, EMBEDDING)

    def features_and_embedding(self, face: Tensor) -> tuple[list[Tensor], Tensor]:
        features = F.silu(self.convolution(face / 127.5 - 1))
        return [features], self.projection(features.flatten(1))

    def forward(self, face: Tensor) -> Tensor:
        return self.features_and_embedding(face)[1]
