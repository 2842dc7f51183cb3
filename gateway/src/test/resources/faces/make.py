# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "opencv-python-headless==5.0.0.93", "scikit-image==0.26.0", "pillow==13.0.0",
#   "insightface==2.1"]
# ///
"""Makes photo.png, a small picture, and what scikit-image and OpenCV make of it, for AlignerTest and LetterboxTest.

crop-N.png: insightface's face_align.norm_crop for the N-th line of landmarks.tsv (ten numbers: x and y of five
points), sampled in double precision; OpenCV's own warp, in 1/32 pixel, is checked to be near.
portrait-N.png: what insightface's own norm_crop makes of the sample portrait, for the N-th line of portrait.tsv.
letterbox-S.png: cv2.resize(INTER_LINEAR) into a square of side S, and bordered-S.png: the same with a border by
cv2.copyMakeBorder(BORDER_REFLECT_101).
"""

from pathlib import Path

import cv2
import insightface.utils.face_align
import numpy as np
from PIL import Image
from skimage.transform import SimilarityTransform, warp

FOLDER = Path(__file__).parent
SAMPLE = FOLDER.parents[4] / "samples" / "collins.png"
SAMPLE_LANDMARKS = np.array([[204.9, 101.65], [247.5, 103.71], [226.01, 129.27], [202.55, 139.56], [246.26, 142.09]])
WIDTH, HEIGHT = 90, 61
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def picture() -> np.ndarray:
    """[61,90,3]: smooth waves and some hard edges."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [np.sin(x / 7 + y / 11), np.cos(x / 5 - y / 9), np.sin(x * y / 400)]
    rgb = np.stack([128 + 120 * wave for wave in waves], axis=-1).astype(np.uint8)
    rgb[20:30, 35:60] = [240, 30, 90]
    return rgb


def landmarks() -> np.ndarray:
    """[6,5,2]: upright, turned, upside down, tiny, half outside and distorted faces."""
    centred = TEMPLATE - TEMPLATE.mean(0)
    noise = np.random.default_rng(3).normal(0, 1.5, (5, 2))
    faces = []
    for angle, scale, centre, distortion in (
        (0, 0.5, (45, 30), 0),
        (35, 0.4, (40, 33), 0),
        (180, 0.45, (47, 29), 0),
        (-20, 0.05, (20, 20), 0),
        (10, 0.8, (82, 8), 0),
        (-75, 0.5, (44, 31), 1),
    ):
        turn = np.deg2rad(angle)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        faces.append(scale * centred @ rotation.T + centre + distortion * noise)
    return np.array(faces, np.float32)


def portrait_landmarks() -> np.ndarray:
    """[4,5,2]: the face of the sample; half a turn of it; a part of it; it and the left edge of the photo."""
    centred = SAMPLE_LANDMARKS - SAMPLE_LANDMARKS.mean(0)
    centre = SAMPLE_LANDMARKS.mean(0)
    faces = [SAMPLE_LANDMARKS, centre - centred, centre + centred / 3, [100, 300] + centred[:, ::-1] * [3, -3]]
    return np.array(faces, np.float32)


def norm_crop(photo: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[h,w,3] and [5,2] -> [112,112,3]."""
    similarity = SimilarityTransform.from_estimate(points.astype(np.float64), TEMPLATE)
    ours = warp(photo / 255, similarity.inverse, output_shape=(112, 112), order=1, mode="constant", cval=0)
    crop = np.round(ours * 255).astype(np.uint8)
    theirs = cv2.warpAffine(photo, similarity.params[:2], (112, 112), borderValue=0.0)
    deviation = np.abs(crop.astype(int) - theirs)
    assert deviation.mean() < 1.5, deviation.mean()  # hard edges meet coordinates in 1/32 pixel
    return crop


def letterbox(photo: np.ndarray, side: int, *, bordered: bool = False) -> np.ndarray:
    """[h,w,3] -> [side,side,3]."""
    longer, ratio = side // 2 if bordered else side, photo.shape[0] / photo.shape[1]
    width, height = (int(longer / ratio), longer) if ratio > 1 else (longer, int(longer * ratio))
    small = cv2.resize(photo, (width, height), interpolation=cv2.INTER_LINEAR)
    if bordered:
        margins = height // 2, height // 2, width // 2, width // 2
        small = cv2.copyMakeBorder(small, *margins, cv2.BORDER_REFLECT_101)
    square = np.zeros((side, side, 3), np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square


def write_landmarks(path: Path, faces: np.ndarray) -> None:
    rows = ("\t".join(str(value) for value in face.ravel().tolist()) for face in faces)
    path.write_text("\n".join(rows) + "\n")


def main() -> None:
    sample = np.asarray(Image.open(SAMPLE).convert("RGB"))
    write_landmarks(FOLDER / "portrait.tsv", portrait_landmarks())
    for number, face in enumerate(portrait_landmarks()):
        crop = insightface.utils.face_align.norm_crop(sample, face)
        Image.fromarray(crop).save(FOLDER / f"portrait-{number}.png")
    photo = picture()
    Image.fromarray(photo).save(FOLDER / "photo.png")
    points = landmarks()
    write_landmarks(FOLDER / "landmarks.tsv", points)
    for number, face in enumerate(points):
        Image.fromarray(norm_crop(photo, face)).save(FOLDER / f"crop-{number}.png")
    for side in 32, 64, 112:
        Image.fromarray(letterbox(photo, side)).save(FOLDER / f"letterbox-{side}.png")
        Image.fromarray(letterbox(photo, side, bordered=True)).save(FOLDER / f"bordered-{side}.png")


if __name__ == "__main__":
    main()
