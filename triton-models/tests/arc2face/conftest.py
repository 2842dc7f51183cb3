"""Runs in the environment of requirements/export.txt (`make test-export`); elsewhere there is nothing to collect."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from evaluation.parity.face_stage import FaceStage
    from training.sd15.weights import Start

if find_spec("diffusers") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published layout at the reduced size, with random weights. Not to be changed."""
    from export.arc2face import random_weights

    folder = tmp_path_factory.mktemp("published")
    random_weights.write(folder, "reduced")
    return folder


@pytest.fixture(scope="session")
def insightface(published: Path) -> "FaceStage":
    """Its own classes with the published weights."""
    from evaluation.parity.face_stage import FaceStage
    from export.arc2face.layout import Layout

    return FaceStage(Layout(published))


@pytest.fixture(scope="session")
def lora(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from export.arc2face.layout import Layout
    from export.arc2face.random_weights import write_lcm_lora

    file = tmp_path_factory.mktemp("lora") / "lora.safetensors"
    write_lcm_lora(file, Layout(published))
    return file


@pytest.fixture(scope="session")
def exported(published: Path, lora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model repository that the command makes of it, in FP32. Not to be changed."""
    from export.arc2face.__main__ import main

    folder = tmp_path_factory.mktemp("exported") / "arc2face"
    main(["--source", str(published), "--out", str(folder), "--lcm-lora", str(lora)])
    return folder


@pytest.fixture(scope="session")
def start(published: Path, tmp_path_factory: pytest.TempPathFactory) -> "Start":
    """The same networks where Stable Diffusion v1-5 has them: what a training starts from. Not to be changed."""
    from training.sd15.weights import Start

    folder = tmp_path_factory.mktemp("start")
    shutil.copytree(published, folder, dirs_exist_ok=True)
    (folder / "arc2face").rename(folder / "stable-diffusion-v1-5" / "unet")
    (folder / "encoder").rename(folder / "stable-diffusion-v1-5" / "text_encoder")
    return Start.find(folder)
