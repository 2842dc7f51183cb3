"""Writes NumPy arrays of the types and versions that a client may meet: arrays.py FOLDER."""

import sys
from pathlib import Path

import numpy as np

VALUES = np.array([[1.5, -2.25, 0.0], [3.0, 1e-3, -65504.0]])


def main() -> None:
    folder = Path(sys.argv[1])
    for kind in ("f2", "f4", "f8"):
        np.save(folder / f"{kind}.npy", VALUES.astype(f"<{kind}"))
    with (folder / "version2.npy").open("wb") as file:
        np.lib.format.write_array(file, VALUES.astype("<f4"), version=(2, 0))
    np.save(folder / "fortran.npy", np.asfortranarray(VALUES))
    np.save(folder / "integers.npy", VALUES.astype("<i4"))
    np.save(folder / "big_endian.npy", VALUES.astype(">f4"))
    np.save(folder / "text.npy", np.array("größe 😀"))
    np.save(folder / "nobody.npy", np.zeros((2, 3), np.float32))
    cut = (folder / "f4.npy").read_bytes()[:-1]
    (folder / "cut.npy").write_bytes(cut)


if __name__ == "__main__":
    main()
