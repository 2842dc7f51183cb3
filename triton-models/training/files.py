"""Files that are written whole or not at all, so that an interrupted stage leaves nothing half made."""

from pathlib import Path

import numpy as np


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Writes an .npz file."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)


def save_text(path: Path, text: str) -> None:
    partial = path.with_suffix(f"{path.suffix}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
