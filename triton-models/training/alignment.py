"""Five-point similarity alignment. Points are (x, y) in pixels, the centre of the first pixel being (0, 0)."""

import torch
from torch import Tensor
from torch.nn import functional as F

# Where ArcFace's 112x112 crops have their eyes, nose and mouth corners, image-left first (insightface).
ARCFACE_TEMPLATE = torch.tensor(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
ARCFACE_SIZE = 112


def similarity(source: Tensor, target: Tensor) -> Tensor:
    """Least-squares similarity source [B,5,2] -> target [B,5,2] or [5,2], as matrices [B,2,3].

    A similarity of the plane is q = a p + b over the complex numbers, so Umeyama's solution needs no SVD.
    """
    p = torch.view_as_complex(source.contiguous())
    q = torch.view_as_complex(target.to(source.device).expand_as(source).contiguous())
    p_mean, q_mean = p.mean(1, keepdim=True), q.mean(1, keepdim=True)
    p_centred, q_centred = p - p_mean, q - q_mean
    a = (p_centred.conj() * q_centred).sum(1) / p_centred.abs().square().sum(1)
    b = q_mean[:, 0] - a * p_mean[:, 0]
    rows = [torch.stack([a.real, -a.imag, b.real], -1), torch.stack([a.imag, a.real, b.imag], -1)]
    return torch.stack(rows, dim=1)


def transform(matrix: Tensor, points: Tensor) -> Tensor:
    """Matrices [B,2,3] applied to points [B,N,2]."""
    return points @ matrix[:, :, :2].transpose(1, 2) + matrix[:, None, :, 2]


def warp(image: Tensor, matrix: Tensor, size: int, padding: str = "zeros") -> Tensor:
    """Images [B,C,h,w] warped by matrices [B,2,3] (input to output pixels), bilinear -> [B,C,size,size]."""
    height, width = image.shape[-2:]
    inverse_linear = torch.linalg.inv(matrix[:, :, :2])
    axis = torch.arange(size, dtype=matrix.dtype, device=matrix.device)
    output = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(1, -1, 2)
    points = (output - matrix[:, None, :, 2]) @ inverse_linear.transpose(1, 2)
    grid = (points + 0.5) * (2 / axis.new_tensor([width, height])) - 1
    grid = grid.reshape(len(image), size, size, 2).to(image.dtype)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def arcface_crop(image: Tensor, landmarks: Tensor) -> Tensor:
    """Images [B,3,h,w] and landmarks [B,5,2] -> crops [B,3,112,112] on ArcFace's template."""
    return warp(image, similarity(landmarks, ARCFACE_TEMPLATE), ARCFACE_SIZE)


# Where the training portraits (128x128) have them: the generator's own median places, made symmetric.
PORTRAIT_TEMPLATE = torch.tensor([[43.2, 61.0], [83.8, 61.0], [63.5, 87.0], [46.1, 107.3], [80.9, 107.3]])
PORTRAIT_SIZE = 128
_MIRRORED_ORDER = [1, 0, 2, 4, 3]


def portrait_template(size: int) -> Tensor:
    """The template [5,2] of a portrait of `size` pixels."""
    return (PORTRAIT_TEMPLATE + 0.5) * (size / PORTRAIT_SIZE) - 0.5


def portrait(image: Tensor, landmarks: Tensor, size: int = PORTRAIT_SIZE) -> tuple[Tensor, Tensor]:
    """Images [B,3,h,w] and landmarks [B,5,2] -> portraits [B,3,size,size], borders reflected, and their landmarks."""
    matrix = similarity(landmarks, portrait_template(size))
    return warp(image, matrix, size, padding="reflection"), transform(matrix, landmarks)


def coverage(height: int, width: int, landmarks: Tensor) -> Tensor:
    """Share [B] of each portrait that lies inside its picture [height,width], the rest being reflection."""
    inside = torch.ones(1, 1, height, width, device=landmarks.device).expand(len(landmarks), -1, -1, -1)
    return warp(inside, similarity(landmarks, PORTRAIT_TEMPLATE), PORTRAIT_SIZE).mean((1, 2, 3))


def mirror(image: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Images [B,C,h,w] and landmarks [B,5,2], left and right exchanged."""
    mirrored = landmarks[:, _MIRRORED_ORDER] * landmarks.new_tensor([-1.0, 1.0])
    return image.flip(-1), mirrored + landmarks.new_tensor([image.shape[-1] - 1.0, 0.0])
