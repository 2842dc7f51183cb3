"""Arc2Face from embeddings to pictures in one process: encoder, denoising loop, decoder."""

import io
import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from loadtest.baselines import networks, noise, solver


class Portraits:
    """The pipeline on the models of a repository. Any number of pictures go through the loop together.

    `unet_guided`, which the repositories that are compared do not have, is not used.
    """

    def __init__(self, repository: Path, threads: int = 0) -> None:
        """`threads` are those of each network in ONNX Runtime; 0 stands for all cores."""
        names = ("encoder", "unet", "vae_decoder")
        self.encoder, self.unet, self.vae = networks.load(
            repository, names, threads or len(os.sched_getaffinity(0))
        )
        config = self.unet.config
        self.recogniser_id = networks.read_config(repository / "arcface").parameters["recogniser_id"]
        self.profile = config.parameters["profile"]
        self.default_steps = int(config.parameters["default_steps"])
        self.default_guidance = float(config.parameters["default_guidance"])
        (self.embedding_size,) = self.encoder.config.inputs["id_embedding"].dims
        self.height, self.width, _ = self.vae.config.outputs["image"].dims
        settings = json.loads(config.parameters["scheduler_config"])
        self.schedule = cache(lambda steps: solver.schedule(settings, steps))

    def start(self, seeds: Sequence[int]) -> np.ndarray:
        """The latents that the loop begins with, for N uint32 seeds: [N,4,h,w] FP32 ~ N(0, 1)."""
        return noise.draw(seeds, self.unet.config.inputs["latents"].dims)

    def denoise(
        self, latents: np.ndarray, embeddings: np.ndarray, steps: int, guidance: Sequence[float]
    ) -> Iterator[int]:
        """Takes the latents, [N,4,h,w] FP32, through the loop in place, and counts the steps: 1, 2, ...

        embeddings: [N,D], or [1,D] for all; FP32, of any length but zero. guidance: N scales, all of them 1 or none;
        1 is without guidance, and half the work.
        """
        rows = _rows(guidance[0])
        scale = np.array(guidance, np.float32).reshape(-1, 1, 1, 1)
        contexts = self._contexts(embeddings, rows)
        contexts = contexts.repeat(len(latents) // len(contexts), axis=0)  # [N,rows,T,C]
        feed_type = self.unet.config.inputs["latents"].type
        feed = np.empty((len(latents), rows, *latents.shape[1:]), feed_type)
        denoised = np.zeros_like(latents)
        for done, step in enumerate(self.schedule(steps), start=1):
            feed[:] = latents.astype(feed_type, copy=False)[:, np.newaxis]  # to FP16 once, not row by row
            prediction = self._predict(feed, step.timestep, contexts)  # [N,rows,4,h,w]
            denoised = step.advance(latents, _guide(prediction, scale), denoised)
            yield done

    def decode(self, latents: np.ndarray) -> Iterator[np.ndarray]:
        """[N,4,h,w] FP32 -> N pictures [H,W,3] UINT8 RGB, as they become ready."""
        latents = latents.astype(self.vae.config.inputs["latents"].type, copy=False)
        for chunk in _chunks(latents, self.vae.config.max_rows):
            yield from self.vae.run({"latents": chunk})["image"]

    def unet_calls(self, pictures: int, guidance: float) -> int:
        """The calls that a step of this many pictures takes."""
        return -(-pictures // (self.unet.config.max_rows // _rows(guidance)))

    def _contexts(self, embeddings: np.ndarray, rows: int) -> np.ndarray:
        """[N,D] -> [N,rows,T,C]: the conditional context, after the unconditional one where there are two rows."""
        lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
        unit = (embeddings / lengths).astype(np.float32)
        names = ("negative_context", "context")[-rows:]
        parts = [
            self.encoder.run({"id_embedding": chunk}) for chunk in _chunks(unit, self.encoder.config.max_rows)
        ]
        contexts = np.concatenate([np.stack([part[name] for name in names], axis=1) for part in parts])
        return contexts.astype(self.unet.config.inputs["context"].type, copy=False)

    def _predict(self, latents: np.ndarray, timestep: np.float32, contexts: np.ndarray) -> np.ndarray:
        """[N,rows,4,h,w] -> [N,rows,4,h,w], in calls of whole pictures."""
        pictures = self.unet.config.max_rows // latents.shape[1]
        predictions = [
            self.unet.run(
                {
                    "latents": chunk.reshape(-1, *chunk.shape[2:]),
                    "timestep": np.full((chunk.shape[0] * chunk.shape[1], 1), timestep, np.float32),
                    "context": context.reshape(-1, *context.shape[2:]),
                }
            )["prediction"].reshape(chunk.shape)
            for chunk, context in zip(_chunks(latents, pictures), _chunks(contexts, pictures), strict=True)
        ]
        return predictions[0] if len(predictions) == 1 else np.concatenate(predictions)


def png(picture: np.ndarray) -> bytes:
    """[H,W,3] UINT8 RGB, encoded with Pillow's defaults."""
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "PNG")
    return encoded.getvalue()


def _rows(guidance: float) -> int:
    """Rows of a picture in the UNet: the unconditional and the conditional one, or only that without guidance."""
    return 1 if guidance == 1 else 2


def _guide(prediction: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Classifier-free guidance (arXiv 2207.12598, equation 6): [N,rows,4,h,w] -> [N,4,h,w] FP32."""
    prediction = prediction.astype(np.float32, copy=False)
    if prediction.shape[1] == 1:
        return prediction[:, 0]
    unconditional, conditional = prediction[:, 0], prediction[:, 1]
    guided = conditional - unconditional
    guided *= scale
    guided += unconditional
    return guided


def _chunks(array: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (array[start : start + size] for start in range(0, len(array), size))
