"""What is measured of a face, and which rule rejects it."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training import pictures
from training.alignment import PORTRAIT_TEMPLATE, mirror
from training.detection import load_detector
from training.quality import HEAD, LARGE, STRICT, Measures, measure, pose

GOOD = Measures(
    score=1.0,
    eye_distance=20,
    yaw=0,
    pitch=0,
    roll=0,
    coverage=1,
    brightness=120,
    contrast=40,
    imbalance=0,
    sharpness=10,
)
SAMPLE = Path(__file__).parents[3] / "samples" / "collins.png"


def rotation(yaw: float, pitch: float) -> torch.Tensor:
    """To the right by `yaw`, then down by `pitch`, in radians, y pointing down and z at the camera: [3,3]."""
    c, s = math.cos(yaw), math.sin(yaw)
    turn = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = math.cos(pitch), math.sin(pitch)
    return torch.tensor([[1, 0, 0], [0, c, s], [0, -s, c]]) @ turn


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (30, 0), (-30, 0), (0, 20), (0, -20)])
def test_pose_is_how_the_head_was_turned(yaw: float, pitch: float) -> None:
    turned = HEAD @ rotation(math.radians(yaw), math.radians(pitch)).T
    landmarks = (turned[:, :2] * 40 + 64)[None]
    assert pose(landmarks)[0].tolist()[:2] == pytest.approx([yaw, pitch], abs=0.1)


def test_pose_is_zero_for_the_template_and_the_roll_of_a_tilted_one() -> None:
    assert pose(PORTRAIT_TEMPLATE[None])[0].tolist() == pytest.approx([0, 0, 0], abs=3)
    c, s = math.cos(math.radians(12)), math.sin(math.radians(12))
    tilted = PORTRAIT_TEMPLATE @ torch.tensor([[c, s], [-s, c]])
    assert pose(tilted[None])[0, 2].item() == pytest.approx(12, abs=0.1)


def test_mirror_image_looks_the_other_way() -> None:
    landmarks = PORTRAIT_TEMPLATE[None] + torch.tensor([0, 0, 5.0, 0, 0])[:, None] * torch.tensor([1.0, 0])
    _, mirrored = mirror(torch.zeros(1, 3, 128, 128), landmarks)
    (yaw, pitch, roll), after = pose(landmarks)[0].tolist(), pose(mirrored)[0].tolist()
    assert yaw > 5
    assert after == pytest.approx([-yaw, pitch, roll], abs=0.5)


@pytest.mark.parametrize(
    ("reason", "measures"),
    [
        ("uncertain", {"score": 0.5}),
        ("small", {"eye_distance": 5}),
        ("turned", {"yaw": -60}),
        ("nodding", {"pitch": 40}),
        ("tilted", {"roll": -30}),
        ("cut off", {"coverage": 0.5}),
        ("dark", {"brightness": 10}),
        ("bright", {"brightness": 240}),
        ("flat", {"contrast": 3}),
        ("lit from one side", {"imbalance": 1.5}),
        ("blurred", {"sharpness": 1}),
    ],
)
def test_each_rule_rejects_what_breaks_it(reason: str, measures: dict[str, float]) -> None:
    assert LARGE.reason(GOOD) == STRICT.reason(GOOD) == ""
    assert LARGE.reason(GOOD._replace(**measures)) == reason


def test_strict_rules_keep_nothing_that_the_large_ones_reject() -> None:
    for name in ("score", "eye_distance", "coverage", "darkest", "contrast", "sharpness"):
        assert getattr(STRICT, name) >= getattr(LARGE, name)
    for name in ("yaw", "pitch", "roll", "brightest", "imbalance"):
        assert getattr(STRICT, name) <= getattr(LARGE, name)


def measured(image: torch.Tensor, landmarks: torch.Tensor = PORTRAIT_TEMPLATE) -> Measures:
    return Measures(*measure(image[None], landmarks[None], torch.ones(1))[0].tolist())


def test_light_and_sharpness_are_measured_alike_at_any_size() -> None:
    coarse = torch.rand(3, 16, 16) * 100 + 50
    small, large = (
        torch.nn.functional.interpolate(coarse[None], size, mode="bicubic")[0] for size in (128, 384)
    )
    one, other = measured(small), measured(large, (PORTRAIT_TEMPLATE + 0.5) * 3 - 0.5)
    assert other.eye_distance == pytest.approx(3 * one.eye_distance)
    for name in ("brightness", "contrast", "sharpness", "coverage"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=0.1)


def test_fine_grain_of_a_large_picture_is_no_sharpness_of_the_face() -> None:
    grain = torch.rand(3, 384, 384) * 255
    assert (
        measured(grain, (PORTRAIT_TEMPLATE + 0.5) * 3 - 0.5).sharpness
        < measured(grain[:, :128, :128]).sharpness / 2
    )


def test_light_from_one_side_and_blur_are_seen() -> None:
    half = torch.full((3, 128, 128), 150.0)
    half[:, :, :64] = 50
    assert measured(half).imbalance > 0.9
    noise = torch.rand(3, 128, 128) * 255
    blurred = torch.nn.functional.avg_pool2d(noise[None], 9, stride=1, padding=4)[0]
    assert measured(blurred).sharpness < measured(noise).sharpness / 5
    assert measured(torch.full((3, 64, 64), 100.0)).coverage < 0.6  # half of the face lies outside


def test_own_picture_becomes_an_aligned_portrait() -> None:
    picture = pictures.read(SAMPLE)
    pixels, (points, score) = pictures.find(load_detector(40), picture)
    assert score > 0.99
    restorer = None  # the face is large enough to do without
    aligned, places = pictures.align(restorer, pixels, points)
    assert aligned.shape == (128, 128, 3)
    assert np.abs(places - PORTRAIT_TEMPLATE.numpy()).max() < 8
    assert aligned[40:110, 40:88].std() > 20


def test_what_is_no_picture_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (1600, 300)).save(tmp_path / "wide.png")
    assert pictures.read(tmp_path / "broken.jpg") is None
    assert pictures.read(tmp_path / "wide.png").size == (768, 144)
