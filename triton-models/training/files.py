"""Files that are written whole or not at all, so that an interrupted stage leaves nothing half made."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Writes an .npz file."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)


def is_newer(path: Path, sources: Iterable[Path]) -> bool:
    """Whether a file is there, and was made after everything that it is made from."""
    return path.exists() and all(path.stat().st_mtime >= source.stat().st_mtime for source in sources)


def save_text(path: Path, text: str) -> None:
    partial = path.with_suffix(f"{path.suffix}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
