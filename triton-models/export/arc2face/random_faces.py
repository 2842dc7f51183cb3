"""The face networks with random weights: SCRFD-10G and ArcFace's IResNet-100 in the form insightface publishes.

Architectures: scrfd_10g_bnkps (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection",
2021) and the 100-layer improved ResNet of insightface's arcface_torch. What a random network answers would mean
nothing, so each is fitted to pictures of noise: a few anchors pass the score threshold, their boxes and landmarks
are a face's, and embeddings of different crops point in different directions.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.trace import Axes, trace

OPSET = 11  # of the published files
LICENCE = "random weights: for tests only"
STRIDES = (8, 16, 32)
ANCHORS = 2  # at each place
FACES = {8: (16, 32), 16: (48, 80), 32: (128, 224)}  # sides of an anchor's boxes, where the picture has 640
TEMPLATE = (  # ArcFace's eyes, nose and mouth corners in a crop of 112 pixels
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
)
PASSING = 80  # anchors of a picture
SPREAD = 1.0  # standard deviation of a score's logit
LEAVES = 400  # a picture


@dataclass(frozen=True)
class DetectorSizes:
    seed: int  # one with which photos have a handful of faces
    side: int | None  # None: any, as published
    stem: int
    stages: tuple[int, int, int, int]
    neck: int
    head: int


@dataclass(frozen=True)
class RecogniserSizes:
    stages: tuple[int, int, int, int]
    embedding: int


DETECTORS = {
    "full": DetectorSizes(seed=12, side=None, stem=56, stages=(56, 88, 88, 224), neck=56, head=80),
    "reduced": DetectorSizes(seed=10, side=320, stem=16, stages=(16, 24, 24, 32), neck=16, head=24),
}
RECOGNISERS = {
    "full": RecogniserSizes(stages=(64, 128, 256, 512), embedding=512),
    "reduced": RecogniserSizes(stages=(8, 12, 16, 24), embedding=64),
}


def write_scrfd(path: Path, size: str) -> None:
    """Writes a detector, "full" or "reduced": [1,3,h,w] -> scores, boxes and landmarks at three strides."""
    sizes = DETECTORS[size]
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(sizes.seed)
        network = Scrfd(sizes)
        pictures = (_pictures(4, sizes.side or 640) - 127.5) / 128
        _fit_norms(network, pictures)
        _fit_heads(network, pictures)
    outputs = [f"{part}_{stride}" for part in ("score", "bbox", "kps") for stride in STRIDES]
    dynamic = {"input.1": {2: "?", 3: "?"}} | {name: {0: "?"} for name in outputs}
    model = _to_onnx(network, pictures[:1], outputs, dynamic)
    if sizes.side:
        for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]:
            dimension.dim_value = sizes.side
    _write(model, path, {"licence": LICENCE})


def write_arcface(path: Path, size: str) -> None:
    """Writes a recogniser, "full" or "reduced": [B,3,112,112] -> [B,512] or [B,64]."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(100)
        network = IResNet(RECOGNISERS[size])
        crops = (_pictures(32, 112) - 127.5) / 127.5
        _fit_norms(network, crops)
    model = _to_onnx(network, crops[:1], ["embedding"], {"input.1": {0: "?"}, "embedding": {0: "?"}})
    _write(model, path, {"licence": LICENCE, "recogniser_id": f"arcface-random-{size}"})


class Scrfd(nn.Module):
    """A ResNet (deep stem, pooling shortcuts), a path-aggregation pyramid and a head for each stride."""

    def __init__(self, sizes: DetectorSizes) -> None:
        super().__init__()
        half = sizes.stem // 2
        self.stem = nn.Sequential(
            *_convolution(3, half, stride=2), *_convolution(half, half), *_convolution(half, sizes.stem)
        )
        widths = (sizes.stem, *sizes.stages)
        self.stages = nn.ModuleList(
            _stage(PoolingBlock, widths[i], widths[i + 1], blocks, stride=1 if i == 0 else 2)
            for i, blocks in enumerate((3, 4, 2, 3))
        )
        neck = sizes.neck
        self.laterals = nn.ModuleList(nn.Conv2d(width, neck, 1) for width in sizes.stages[1:])
        self.smooth = nn.ModuleList(nn.Conv2d(neck, neck, 3, padding=1) for _ in STRIDES)
        self.down = nn.ModuleList(nn.Conv2d(neck, neck, 3, stride=2, padding=1) for _ in STRIDES[1:])
        self.smooth_again = nn.ModuleList(nn.Conv2d(neck, neck, 3, padding=1) for _ in STRIDES[1:])
        self.towers = nn.ModuleList(
            nn.Sequential(
                *_convolution(neck, sizes.head),
                *_convolution(sizes.head, sizes.head),
                *_convolution(sizes.head, sizes.head),
            )
            for _ in STRIDES
        )
        self.heads = nn.ModuleList(Head(sizes.head) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        answers = [head(feature) for head, feature in zip(self.heads, self.features(x), strict=True)]
        return tuple(part for parts in zip(*answers, strict=True) for part in parts)

    def features(self, x: Tensor) -> list[Tensor]:
        """Pictures [B,3,h,w] -> what the heads see at strides 8, 16 and 32."""
        x = F.max_pool2d(self.stem(x), 2)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        lateral = [convolve(level) for convolve, level in zip(self.laterals, levels[1:], strict=True)]
        for i in (1, 0):
            lateral[i] = lateral[i] + F.interpolate(lateral[i + 1], size=lateral[i].shape[2:], mode="nearest")
        level = [convolve(x) for convolve, x in zip(self.smooth, lateral, strict=True)]
        for i in (0, 1):
            level[i + 1] = level[i + 1] + self.down[i](level[i])
        level[1:] = [convolve(x) for convolve, x in zip(self.smooth_again, level[1:], strict=True)]
        return [tower(x) for tower, x in zip(self.towers, level, strict=True)]


class Head(nn.Module):
    """Feature [B,C,h,w] -> scores [M,1], boxes [M,4] and landmarks [M,10]; M = h*w*B*2, in units of the stride."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(width, ANCHORS, 3, padding=1)
        self.box = nn.Conv2d(width, 4 * ANCHORS, 3, padding=1)
        self.landmarks = nn.Conv2d(width, 10 * ANCHORS, 3, padding=1)
        self.scale = nn.Parameter(
            torch.empty(()).uniform_(0.8, 1.2)
        )  # of the boxes; learned, one for each stride

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return (
            _rows(self.score(feature), 1).sigmoid(),
            _rows(self.box(feature) * self.scale, 4),
            _rows(self.landmarks(feature), 10),
        )


class IResNet(nn.Module):
    """Crops [B,3,112,112] -> embeddings [B,D]."""

    def __init__(self, sizes: RecogniserSizes) -> None:
        super().__init__()
        widths = (sizes.stages[0], *sizes.stages)
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.PReLU(widths[0])
        )
        self.stages = nn.Sequential(
            *(
                _stage(ImprovedBlock, widths[i], widths[i + 1], blocks, stride=2)
                for i, blocks in enumerate((3, 13, 30, 3))
            )
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        self.dense = nn.Linear(widths[-1] * 7 * 7, sizes.embedding)
        self.features = nn.BatchNorm1d(sizes.embedding)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stages(self.stem(x)))
        return self.features(self.dense(x.flatten(1)))


class PoolingBlock(nn.Module):
    """Two convolutions beside a shortcut that pools before it projects."""

    def __init__(self, width: int, wider: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_convolution(width, wider, stride=stride),
            nn.Conv2d(wider, wider, 3, padding=1, bias=False),
            nn.BatchNorm2d(wider),
        )
        self.shortcut = (
            nn.Sequential(
                nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(width, wider, 1, bias=False),
                nn.BatchNorm2d(wider),
            )
            if stride > 1 or width != wider
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return (self.branch(x) + self.shortcut(x)).relu()


class ImprovedBlock(nn.Module):
    """Normalisation first, one PReLU between the convolutions, nothing after the sum."""

    def __init__(self, width: int, wider: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.Conv2d(width, wider, 3, padding=1, bias=False),
            nn.BatchNorm2d(wider),
            nn.PReLU(wider),
            nn.Conv2d(wider, wider, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(wider),
        )
        self.shortcut = (
            nn.Sequential(nn.Conv2d(width, wider, 1, stride=stride, bias=False), nn.BatchNorm2d(wider))
            if stride > 1
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)


def _convolution(width: int, wider: int, stride: int = 1) -> Iterable[nn.Module]:
    return nn.Conv2d(width, wider, 3, stride, padding=1, bias=False), nn.BatchNorm2d(wider), nn.ReLU()


def _stage(
    block: Callable[[int, int, int], nn.Module], width: int, wider: int, blocks: int, stride: int
) -> nn.Sequential:
    return nn.Sequential(block(width, wider, stride), *(block(wider, wider, 1) for _ in range(blocks - 1)))


def _rows(x: Tensor, values: int) -> Tensor:
    """[B,2*values,h,w] -> [h*w*B*2,values], as published: the batch lies between the cells and their anchors."""
    return x.permute(2, 3, 0, 1).reshape(-1, values)


def _pictures(count: int, side: int) -> Tensor:
    """[count,3,side,side], 0..255: dead leaves (discs of all sizes, one over another) beside a letterbox' margin.

    Their edges and surfaces are much like a photo's.
    """
    pictures = torch.zeros(count, 3, side, side)
    axis = torch.arange(side) + 0.5
    for picture in pictures:
        grain = torch.randn(side, side)
        for _ in range(LEAVES):
            radius = side * 0.5 * 0.01 ** float(torch.rand(()))
            x, y = (torch.rand(2) * side).tolist()
            colour = torch.rand(()) + 0.15 * torch.randn(3, 1, 1)
            rough = 0.3 * torch.rand(()) ** 3
            rows = slice(max(0, int(y - radius)), int(y + radius) + 1)
            columns = slice(max(0, int(x - radius)), int(x + radius) + 1)
            inside = (axis[None, columns] - x) ** 2 + (axis[rows, None] - y) ** 2 < radius**2
            place = picture[:, rows, columns]
            place.copy_(torch.where(inside, colour + rough * grain[rows, columns], place))
        picture[:, :, int(side * (1 - 0.4 * torch.rand(()))) :] = 0
    return (pictures * 255).clamp(0, 255)


def _fit_norms(network: nn.Module, pictures: Tensor) -> None:
    """Varies what a new network has constant, and takes every normalisation's mean and variance from the pictures."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(0.8, 1.2)
            module.bias.normal_(std=0.1)
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.momentum = None  # an average over all that is seen
        if isinstance(module, nn.PReLU):
            module.weight.uniform_(0.1, 0.4)
    network.train()
    network(pictures)
    network.eval()


def _fit_heads(network: Scrfd, pictures: Tensor) -> None:
    """Gives each anchor a box of its size, landmarks within, and a score that few places reach."""
    places = sum((pictures.shape[2] // stride) ** 2 for stride in STRIDES)
    passing = PASSING / (places * ANCHORS)
    template = (torch.tensor(TEMPLATE) - torch.tensor([56.0, 64.0])) / 90  # of the box' side
    blacks = network.features(torch.full_like(pictures[:1], pictures.min()))
    for stride, head, feature, black in zip(
        STRIDES, network.heads, network.features(pictures), blacks, strict=True
    ):
        sides = torch.tensor(FACES[stride]) / stride * pictures.shape[2] / 640
        _fit(head.score, feature, torch.zeros(ANCHORS), torch.full((ANCHORS,), SPREAD))
        logits = head.score(feature).flatten()
        head.score.bias -= torch.maximum(
            logits.sort().values[-int(passing * len(logits))], head.score(black).max() + SPREAD / 4
        )
        _fit(
            head.box, feature, (sides / 2 / head.scale).repeat_interleave(4), sides.repeat_interleave(4) / 16
        )
        centres = (sides[:, None] * template.flatten()).flatten()
        _fit(head.landmarks, feature, centres, sides.repeat_interleave(10) / 40)


def _fit(layer: nn.Conv2d, x: Tensor, mean: Tensor, deviation: Tensor) -> None:
    """Rescales a layer so that each channel of its answer to x has this mean and standard deviation."""
    y = F.conv2d(x, layer.weight, padding=layer.padding)
    gain = deviation / y.std((0, 2, 3))
    layer.weight *= gain[:, None, None, None]
    layer.bias.copy_(mean - y.mean((0, 2, 3)) * gain)


def _to_onnx(network: nn.Module, example: Tensor, outputs: list[str], dynamic: Axes) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        trace(path, network, [example], ["input.1"], outputs, dynamic, OPSET)
        return onnx.load(path)


def _write(model: onnx.ModelProto, path: Path, metadata: dict[str, str]) -> None:
    onnx.helper.set_model_props(model, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
