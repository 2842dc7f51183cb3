"""Records what the original networks answer to the test pictures.

face_detector.npz: facenet-pytorch's MTCNN with its own defaults, for each of pictures.squares() [N,15]:
box, score, five points. arcface.npy: MobileFace under TensorFlow.js on pictures.crops(), [N,256].
"""

from pathlib import Path

import numpy as np
from facenet_pytorch import MTCNN

from evaluation import original_recogniser
from tests import pictures

FOLDER = Path(__file__).parent


def faces(detector: MTCNN, square: np.ndarray) -> np.ndarray:
    boxes, scores, points = detector.detect(square, landmarks=True)
    if boxes is None:
        return np.zeros((0, 15), np.float32)
    columns = [boxes, scores[:, None], points.reshape(-1, 10)]
    return np.concatenate([column.astype(np.float32) for column in columns], axis=1)


if __name__ == "__main__":
    detector = MTCNN(keep_all=True, select_largest=False)
    recorded = {name: faces(detector, square) for name, square in pictures.squares().items()}
    np.savez(FOLDER / "face_detector.npz", **recorded)
    np.save(FOLDER / "arcface.npy", original_recogniser.embed(pictures.crops()))
