"""How long a GPU takes for a batch, from published measurements. Everything that is drawn from it is *simulated*.

- One guided picture of 512x512 on an A100 takes 1/61 s a step in TensorRT
  (github.com/fal-ai/stable-diffusion-benchmarks, "TensorRT 9.0 (cuda graphs, static shapes)").
- How that grows with the batch: AITemplate on an A100, 50 steps of Stable Diffusion v1-5, whole pipeline
  (github.com/facebookincubator/AITemplate, examples/05_stable_diffusion, "Batched Version"): from 1 to 4 pictures it
  is 3.1 times the time. TensorRT's only published figure for a batch is 3.4 times for 4 pictures
  (github.com/microsoft/onnxruntime, python/tools/transformers/models/stable_diffusion, "A100-PCIE-80GB"), which leaves
  batching less to gain than is taken here.
- One step of CLIP and of the VAE's decoder: the same page, one picture at a time.
- An H100 takes two thirds of an A100's time (TensorRT 8.6, one picture: 0.75 s against 0.98 s, and more since;
  github.com/alexeigor/sd-benchmarks).
- The face networks have no published figure that fits; theirs are assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

STEPS_PER_SECOND = 61.0  # of one guided picture, which is two rows
PIPELINE_MS: Mapping[int, float] = {1: 1282.98, 3: 3121.88, 8: 7492.81, 16: 14931.95}  # by pictures
CLIP_MS, VAE_MS = 0.87, 37.43
ASSUMED_DETECTOR_MS, ASSUMED_ARCFACE_MS = 4.0, 2.0
SPEED = {"a100": 1.0, "h100": 1.5}


@dataclass(frozen=True)
class Curve:
    """Seconds of a batch: `fixed` and `per_row`, which is what the published figures amount to."""

    fixed: float
    per_row: float

    def seconds(self, rows: int) -> float:
        return self.fixed + self.per_row * rows


def unet(gpu: str) -> Curve:
    """The least-squares line through the published figures, scaled to the published step of one guided picture."""
    pictures = np.array(list(PIPELINE_MS), float)
    per_picture, fixed = np.polyfit(pictures, np.array(list(PIPELINE_MS.values())), 1)
    scale = 1 / (STEPS_PER_SECOND * SPEED[gpu] * (fixed + per_picture))
    return Curve(fixed * scale, per_picture * scale / 2)


def curves(gpu: str) -> dict[str, Curve]:
    """Model -> curve."""
    faster = SPEED[gpu] * 1000
    return {
        "face_detector": Curve(0, ASSUMED_DETECTOR_MS / faster),
        "arcface": Curve(0, ASSUMED_ARCFACE_MS / faster),
        "encoder": Curve(0, CLIP_MS / faster),
        "unet": unet(gpu),
        "unet_guided": Curve(unet(gpu).fixed, 2 * unet(gpu).per_row),  # both rows of a picture are one of its
        "vae_decoder": Curve(0, VAE_MS / faster),
    }
