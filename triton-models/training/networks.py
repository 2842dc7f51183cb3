"""The mini profile's networks: autoencoder, identity encoder and UNet.

Every learned projection is a convolution, also where a linear layer would do: ONNX Runtime runs a convolution
image by image, so that a row's result cannot depend on how many rows share its batch.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENT_CHANNELS, LATENT_SIZE = 4, 16
IMAGE_SIZE = 128
EMBEDDING = 256
TOKENS, TOKEN_WIDTH = 8, 192


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(16, channels), channels)


class ResidualBlock(nn.Module):
    """x [B,c,h,w] -> [B,d,h,w]; `conditioning` [B,e,1,1], where there is one, scales and shifts the second norm."""

    def __init__(self, inside: int, outside: int, conditioning: int = 0) -> None:
        super().__init__()
        self.norm1, self.conv1 = _norm(inside), nn.Conv2d(inside, outside, 3, padding=1)
        self.norm2, self.conv2 = _norm(outside), nn.Conv2d(outside, outside, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        self.modulation = nn.Conv2d(conditioning, 2 * outside, 1) if conditioning else None
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, conditioning: Tensor | None = None) -> Tensor:
        y = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.modulation is not None:
            scale, shift = self.modulation(conditioning).chunk(2, dim=1)
            y = y * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(y))


class LatentEncoder(nn.Module):
    """Image [B,3,128,128] in -1..1 -> latents [B,4,16,16], before their normalisation."""

    def __init__(self, fine: int, coarse: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(4),  # [B,48,32,32]
            nn.Conv2d(48, fine, 3, padding=1),
            ResidualBlock(fine, fine),
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1),  # [B,coarse,16,16]
            ResidualBlock(coarse, coarse),
            _norm(coarse),
            nn.SiLU(),
            nn.Conv2d(coarse, LATENT_CHANNELS, 3, padding=1),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


class LatentDecoder(nn.Module):
    """Normalised latents [B,4,16,16] -> image [B,3,128,128], about -1..1."""

    def __init__(self, finest: int, fine: int, coarse: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(LATENT_CHANNELS, coarse, 3, padding=1),
            ResidualBlock(coarse, coarse),
            ResidualBlock(coarse, coarse),
            nn.Conv2d(coarse, 4 * fine, 1),
            nn.PixelShuffle(2),  # [B,fine,32,32]
            ResidualBlock(fine, fine),
            nn.Conv2d(fine, 4 * finest, 1),
            nn.PixelShuffle(2),  # [B,finest,64,64]
            ResidualBlock(finest, finest),
            _norm(finest),
            nn.SiLU(),
            nn.Conv2d(finest, 12, 3, padding=1),
            nn.PixelShuffle(2),  # [B,3,128,128]
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.layers(latents)


class Autoencoder(nn.Module):
    """Images <-> latents of zero mean and unit variance per channel.

    The normalisation is a batch norm's running statistics, so the latents that the decoder takes are the
    normalised ones: nobody outside multiplies by a scaling factor.
    """

    def __init__(self, finest: int = 32, fine: int = 80, coarse: int = 144) -> None:
        super().__init__()
        self.settings = {"finest": finest, "fine": fine, "coarse": coarse}
        self.encoder = LatentEncoder(fine, coarse)
        self.normalise = nn.BatchNorm2d(LATENT_CHANNELS, affine=False)
        self.decoder = LatentDecoder(finest, fine, coarse)

    def encode(self, image: Tensor) -> Tensor:
        return self.normalise(self.encoder(image).float())


class IdentityEncoder(nn.Module):
    """Unit embedding [B,256] -> context tokens [B,8,192], and the learned unconditional context, the same shape."""

    def __init__(self, hidden: int = 768) -> None:
        super().__init__()
        self.settings = {"hidden": hidden}
        self.layers = nn.Sequential(
            nn.Conv2d(EMBEDDING, hidden, 1), nn.SiLU(), nn.Conv2d(hidden, TOKENS * TOKEN_WIDTH, 1)
        )
        self.unconditional = nn.Parameter(torch.randn(1, TOKENS, TOKEN_WIDTH) * 0.02)

    def forward(self, id_embedding: Tensor) -> tuple[Tensor, Tensor]:
        unit_variance = id_embedding[:, :, None, None] * math.sqrt(EMBEDDING)
        context = self.layers(unit_variance).reshape(-1, TOKENS, TOKEN_WIDTH)
        return context, self.unconditional.expand_as(context)


class Attention(nn.Module):
    """x [B,c,h,w] attends to `context` [B,d,n,1], or to itself where `context_channels` is 0; residual."""

    def __init__(self, channels: int, context_channels: int = 0, head_width: int = 32) -> None:
        super().__init__()
        self.heads = max(1, channels // head_width)
        self.head_width = channels // self.heads
        self.to_itself = context_channels == 0
        self.norm = _norm(channels)
        self.query = nn.Conv2d(channels, channels, 1, bias=False)
        self.key_value = nn.Conv2d(context_channels or channels, 2 * channels, 1, bias=False)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def _split(self, x: Tensor) -> Tensor:
        """[B,c,h,w] -> [B,heads,c/heads,h*w]"""
        return x.flatten(2).unflatten(1, (self.heads, self.head_width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        y = self.norm(x)
        query = self._split(self.query(y))
        key, value = (
            self._split(z) for z in self.key_value(y if self.to_itself else context).chunk(2, dim=1)
        )
        scores = query.transpose(2, 3) @ key * (self.head_width**-0.5)  # [B,heads,h*w,n]
        attended = value @ scores.softmax(-1).transpose(2, 3)  # [B,heads,c/heads,h*w]
        return x + self.out(attended.reshape(x.shape))


class TransformerBlock(nn.Module):
    """Self-attention (where asked for), then cross-attention to the identity's tokens [B,192,8,1]."""

    def __init__(self, channels: int, self_attention: bool) -> None:
        super().__init__()
        self.self_attention = Attention(channels) if self_attention else None
        self.cross_attention = Attention(channels, TOKEN_WIDTH)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        if self.self_attention is not None:
            x = self.self_attention(x, tokens)
        return self.cross_attention(x, tokens)


class Stage(nn.Module):
    """A residual block and a transformer block at one resolution."""

    def __init__(self, inside: int, outside: int, conditioning: int, self_attention: bool) -> None:
        super().__init__()
        self.residual = ResidualBlock(inside, outside, conditioning)
        self.transformer = TransformerBlock(outside, self_attention)

    def forward(self, x: Tensor, conditioning: Tensor, tokens: Tensor) -> Tensor:
        return self.transformer(self.residual(x, conditioning), tokens)


@dataclass(frozen=True)
class UNetSettings:
    """Channels at 16, 8 and 4 pixels, blocks per resolution and width of the time embedding."""

    channels: tuple[int, ...] = (64, 128, 256)
    blocks: int = 1
    conditioning: int = 512


class UNet(nn.Module):
    """Latents [B,4,16,16], timestep [B,1], context [B,8,192] -> prediction of v [B,4,16,16].

    The identity enters twice: its tokens by cross-attention, all of them together beside the time embedding.
    """

    TIME_FREQUENCIES = 64

    def __init__(self, settings: UNetSettings = UNetSettings()) -> None:
        super().__init__()
        self.settings = settings
        channels, width = settings.channels, settings.conditioning
        frequencies = torch.exp(
            -math.log(10_000) * torch.arange(self.TIME_FREQUENCIES) / self.TIME_FREQUENCIES
        )
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.time = nn.Sequential(
            nn.Conv2d(2 * self.TIME_FREQUENCIES, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1)
        )
        self.identity = nn.Conv2d(TOKENS * TOKEN_WIDTH, width, 1)
        self.enter = nn.Conv2d(LATENT_CHANNELS, channels[0], 3, padding=1)

        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        skips, current = [channels[0]], channels[0]
        for level, outside in enumerate(channels):
            for _ in range(settings.blocks):
                self.down.append(Stage(current, outside, width, level > 0))
                current = outside
                skips.append(current)
            if level + 1 < len(channels):
                self.shrink.append(nn.Conv2d(current, current, 3, stride=2, padding=1))
                skips.append(current)
        self.middle = Stage(current, current, width, True)
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for level, outside in reversed(list(enumerate(channels))):
            for _ in range(settings.blocks + 1):
                self.up.append(Stage(current + skips.pop(), outside, width, level > 0))
                current = outside
            if level > 0:
                self.grow.append(nn.Conv2d(current, channels[level - 1], 3, padding=1))
                current = channels[level - 1]
        self.leave = nn.Sequential(
            _norm(current), nn.SiLU(), nn.Conv2d(current, LATENT_CHANNELS, 3, padding=1)
        )
        nn.init.zeros_(self.leave[-1].weight)

    def forward(self, latents: Tensor, timestep: Tensor, context: Tensor) -> Tensor:
        angles = timestep * self.frequencies  # [B,64]
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)[:, :, None, None]
        together = context.reshape(-1, TOKENS * TOKEN_WIDTH, 1, 1)
        conditioning = F.silu(self.time(waves) + self.identity(together))
        tokens = context.transpose(1, 2)[:, :, :, None]  # [B,192,8,1]

        x = self.enter(latents)
        skips, blocks = [x], self.settings.blocks
        for i, stage in enumerate(self.down):
            x = stage(x, conditioning, tokens)
            skips.append(x)
            if (i + 1) % blocks == 0 and i + 1 < len(self.down):
                x = self.shrink[i // blocks](x)
                skips.append(x)
        x = self.middle(x, conditioning, tokens)
        for i, stage in enumerate(self.up):
            x = stage(torch.cat([x, skips.pop()], dim=1), conditioning, tokens)
            if (i + 1) % (blocks + 1) == 0 and i + 1 < len(self.up):
                x = self.grow[i // (blocks + 1)](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.leave(x)
