"""Synthetic faces: drawn from the generator, kept where MTCNN sees a clear frontal face.

Face number s is a function of s alone: its noise comes from a torch generator with that seed. Seeds below
`FIRST_TRAINING_SEED` never enter training: the held-out identities are the first of them that pass the filter.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import MTCNN
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from training import RUNS
from training.published import FaceGenerator, load_generator

NOISE_SCALE = 0.9
UPSAMPLING = 3  # MTCNN wants larger faces than 64x64 pictures have
FIRST_TRAINING_SEED = 10_000  # below it: the held-out faces (from 0) and those that settings are chosen on
FIRST_VALIDATION_SEED = 5_000
HELD_OUT_FACES = VALIDATION_FACES = 64
SHARD = 256  # seeds per unit of work

MIN_SCORE = 0.995
MIN_EYE_DISTANCE, MAX_EYE_DISTANCE = 0.20, 0.42  # of the picture's width
MAX_YAW = 0.22  # nose off the eyes' perpendicular bisector, in eye distances
MAX_TILT = 0.30  # radians
MIN_BRIGHTNESS, MIN_CONTRAST, MIN_SHARPNESS = 50.0, 18.0, 5.0  # of the face's luma, 0..255


def generate(generator: FaceGenerator, seeds: range) -> Tensor:
    """Seeds [B] -> faces [B,3,64,64] in 0..255, rounded."""
    noise = [torch.randn(generator.NOISE, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return ((generator(torch.stack(noise) * NOISE_SCALE) + 1) * 127.5).round()


def detect(detector: MTCNN, images: Tensor, upsampling: int = 1) -> list[tuple[np.ndarray, float] | None]:
    """Most probable face of each image [B,3,h,w]: landmarks [5,2] in its own pixels, and score; or none."""
    if upsampling > 1:
        images = F.interpolate(images, scale_factor=upsampling, mode="bicubic").clamp(0, 255)
    _, scores, landmarks = detector.detect(images.permute(0, 2, 3, 1).round().byte().numpy(), landmarks=True)
    found: list[tuple[np.ndarray, float] | None] = []
    for score, points in zip(scores, landmarks, strict=True):
        if points is None:
            found.append(None)
            continue
        best = int(np.argmax(score.astype(np.float64)))
        found.append(((points[best] + 0.5) / upsampling - 0.5, float(score[best])))
    return found


def is_clear_frontal_face(image: np.ndarray, landmarks: np.ndarray) -> bool:
    """Whether a picture [h,w,3] has a face that is neither turned away nor dark, flat or blurred."""
    size = image.shape[0]
    left, right, nose, mouth_left, mouth_right = landmarks
    across = right - left
    distance = float(np.hypot(*across))
    if not MIN_EYE_DISTANCE <= distance / size <= MAX_EYE_DISTANCE:
        return False
    if abs(np.arctan2(across[1], across[0])) > MAX_TILT:
        return False
    middle = (left + right) / 2
    mouth = (mouth_left + mouth_right) / 2
    axis = across / distance
    if max(abs((nose - middle) @ axis), abs((mouth - middle) @ axis)) / distance > MAX_YAW:
        return False
    low = np.clip(np.floor(landmarks.min(0) - distance / 4), 0, size).astype(int)
    high = np.clip(np.ceil(landmarks.max(0) + distance / 4), 0, size).astype(int)
    luma = image[low[1] : high[1], low[0] : high[0]].astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
    edges = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    return bool(
        luma.mean() >= MIN_BRIGHTNESS and luma.std() >= MIN_CONTRAST and np.abs(edges).mean() >= MIN_SHARPNESS
    )


_generator: FaceGenerator
_detector: MTCNN


def _start_worker() -> None:
    global _generator, _detector
    torch.set_num_threads(1)
    _generator = load_generator()
    _detector = MTCNN(min_face_size=60, post_process=False, device="cpu")


@torch.inference_mode()
def _clear_faces(seeds: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The seeds whose faces pass the filter [N], their pictures [N,64,64,3] and landmarks [N,5,2]."""
    images = generate(_generator, seeds)
    pixels = images.permute(0, 2, 3, 1).byte().numpy()
    kept: list[int] = []
    points: list[np.ndarray] = []
    for i, face in enumerate(detect(_detector, images, UPSAMPLING)):
        if face is not None and face[1] >= MIN_SCORE and is_clear_frontal_face(pixels[i], face[0]):
            kept.append(i)
            points.append(face[0])
    return np.array(seeds)[kept], pixels[kept], np.array(points, np.float32).reshape(-1, 5, 2)


def draw(first_seed: int, count: int, workers: int) -> dict[str, np.ndarray]:
    """The first `count` clear faces from `first_seed` on."""
    seeds: list[np.ndarray] = []
    images: list[np.ndarray] = []
    landmarks: list[np.ndarray] = []
    found = 0
    progress = tqdm(total=count, desc="faces", unit="face", smoothing=0)
    with ProcessPoolExecutor(workers, initializer=_start_worker) as pool:
        start = first_seed
        while found < count:
            shards = [range(s, s + SHARD) for s in range(start, start + 2 * workers * SHARD, SHARD)]
            start = shards[-1].stop
            for shard in pool.map(_clear_faces, shards):
                seeds.append(shard[0])
                images.append(shard[1])
                landmarks.append(shard[2])
                found += len(shard[0])
                progress.update(len(shard[0]))
    progress.close()
    parts = {"seeds": seeds, "images": images, "landmarks": landmarks}
    return {name: np.concatenate(part)[:count] for name, part in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--count", type=int, default=30_000, help="training faces")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)

    held_out = draw(0, HELD_OUT_FACES, 1)
    reserved = json.loads(Path(__file__).with_name("held_out.json").read_text())["seeds"]
    if held_out["seeds"].tolist() != reserved:
        raise SystemExit("the held-out faces are not those of held_out.json: generator or filter differ")
    np.savez(arguments.runs / "held_out.npz", **held_out)
    np.savez(arguments.runs / "validation.npz", **draw(FIRST_VALIDATION_SEED, VALIDATION_FACES, 1))
    faces = draw(FIRST_TRAINING_SEED, arguments.count, arguments.workers)
    np.savez(arguments.runs / "faces.npz", **faces)


if __name__ == "__main__":
    main()
