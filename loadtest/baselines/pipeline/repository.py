"""Writes a model repository with the pipeline as its only model, on the networks of another repository."""

import shutil
from pathlib import Path

from evaluation.api import ROOT
from export.config import Tensor, config_lines
from loadtest.baselines import networks

HERE = Path(__file__).parent
NAME = "pipeline"
MAX_PICTURES = 8  # 16 rows of the UNet, as many as in the gateway's calls


def write(source: Path, out: Path) -> Path:
    """Makes the folder `out` anew; returns it. It refers to `source` and to this code by their places."""
    shutil.rmtree(out, ignore_errors=True)
    version = out / NAME / "1"
    version.mkdir(parents=True)
    shutil.copy(HERE / "model.py", version)
    shutil.copy(ROOT / "triton-models/backends/onnxruntime/model.py", version / "onnxruntime_backend.py")
    (size,) = networks.read_config(source / "encoder").inputs["id_embedding"].dims
    lines = config_lines(
        NAME,
        MAX_PICTURES,
        [
            Tensor("id_embedding", "FP32", (size,)),
            Tensor("steps", "INT32", (1,)),
            Tensor("seed", "UINT32", (1,)),
            Tensor("guidance", "FP32", (1,)),
        ],
        [
            Tensor("image", "UINT8", (-1,))
        ],  # a PNG's bytes: Triton's interpreter cannot read strings of numpy 2
        {"source": str(source.resolve()), "code": str(ROOT)},
    )
    scheduling = ['backend: "python"', "dynamic_batching {}", "instance_group { kind: KIND_CPU count: 1 }"]
    (out / NAME / "config.pbtxt").write_text("\n".join([*lines, *scheduling, ""]), encoding="ascii")
    return out
