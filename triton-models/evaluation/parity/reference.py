"""Draws every case as Arc2Face's authors do, with the classes of diffusers and transformers.

Nothing of our export or gateway is in here but the published layout's file names. The recipe is the README and
`arc2face/utils.py` of the official repository: the prompt "photo of a id person", the zero-padded unit embedding in the
place of the token `id`, the fine-tuned encoder for the empty prompt too.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from evaluation.parity.cases import BASE, SEED, SETS, Case
from evaluation.parity.psnr import psnr
from export.arc2face.layout import Layout

PROMPT, PLACE = "photo of a id person", "id"
SCHEDULERS = {
    "dpmpp_2m": diffusers.DPMSolverMultistepScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "ddim": diffusers.DDIMScheduler,
    "lcm": diffusers.LCMScheduler,
}
LEAST_CONTRAST = 25.0  # standard deviation of a picture's pixels: a flat picture proves nothing
MOST_ALIKE = 30.0  # dB between pictures that have to differ


@dataclass(frozen=True)
class Drawn:
    """Final latents [N,4,h,w] as the scheduler leaves them, and pictures [N,H,W,3] uint8."""

    latents: np.ndarray
    pictures: np.ndarray


class Reference:
    """The official pipeline on a CPU, or on `device` in `dtype`."""

    def __init__(
        self, layout: Layout, lcm_lora: Path | None, dtype: torch.dtype = torch.float32, device: str = "cpu"
    ) -> None:
        self.lcm_lora, self.device = lcm_lora, device
        self.pipeline = diffusers.StableDiffusionPipeline(
            vae=diffusers.AutoencoderKL.from_pretrained(layout.vae, torch_dtype=dtype),
            text_encoder=CLIPTextModel.from_pretrained(layout.encoder, dtype=dtype),
            tokenizer=CLIPTokenizer.from_pretrained(layout.tokenizer),
            unet=diffusers.UNet2DConditionModel.from_pretrained(layout.unet, torch_dtype=dtype),
            scheduler=diffusers.PNDMScheduler.from_pretrained(layout.scheduler),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).to(device)
        self.pipeline.set_progress_bar_config(disable=True)

    @torch.inference_mode()
    def context(self, embedding: np.ndarray) -> Tensor:
        """The embedding [D] in CLIP's space: [1,77,C] (`project_face_embs`)."""
        encoder, tokenizer = self.pipeline.text_encoder, self.pipeline.tokenizer
        ids = tokenizer(
            PROMPT, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt"
        )
        place = ids.input_ids == tokenizer.encode(PLACE, add_special_tokens=False)[0]
        tokens = encoder.get_input_embeddings()
        width = tokens.weight.shape[1]
        face = F.pad(torch.from_numpy(embedding).to(tokens.weight), (0, width - len(embedding)))

        def put_face(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
            return torch.where(place.to(output.device)[..., None], face, output)

        hook = tokens.register_forward_hook(put_face)
        try:
            return encoder(ids.input_ids.to(self.device)).last_hidden_state
        finally:
            hook.remove()

    def draw(self, case: Case, embedding: np.ndarray, seed: int = SEED) -> Drawn:
        """The pictures of one case."""
        pipeline = self.pipeline
        scheduler = pipeline.scheduler
        pipeline.scheduler = SCHEDULERS[case.scheduler].from_config(scheduler.config)
        guided = math.ceil(Decimal(str(case.guidance_until)) * case.steps)

        def stop_guidance(
            pipe: Any, step: int, _timestep: Any, tensors: dict[str, Tensor]
        ) -> dict[str, Tensor]:
            if step + 1 == guided and pipe.do_classifier_free_guidance:
                pipe._guidance_scale = (
                    1.0  # diffusers' own way: its documentation, "Dynamic classifier-free guidance"
                )
                tensors["prompt_embeds"] = tensors["prompt_embeds"].chunk(2)[-1]
            return tensors

        try:
            with self.variant(case.variant):
                latents = pipeline(
                    prompt_embeds=self.context(embedding),
                    num_images_per_prompt=case.images,
                    num_inference_steps=case.steps,
                    guidance_scale=case.guidance,
                    generator=[torch.Generator().manual_seed(seed + i) for i in range(case.images)],
                    output_type="latent",
                    callback_on_step_end=stop_guidance,
                    callback_on_step_end_tensor_inputs=["latents", "prompt_embeds"],
                ).images
            return Drawn(latents.float().cpu().numpy(), self.decode(latents))
        finally:
            pipeline.scheduler = scheduler

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> np.ndarray:
        """Latents [N,4,h,w] -> pictures [N,H,W,3] uint8, one at a time."""
        vae, processor = self.pipeline.vae, self.pipeline.image_processor
        pictures = [vae.decode(row[None] / vae.config.scaling_factor).sample for row in latents]
        floats = processor.postprocess(
            torch.cat(pictures), output_type="np", do_denormalize=[True] * len(pictures)
        )
        return (floats * 255).round().astype(np.uint8)

    @contextmanager
    def variant(self, variant: str) -> Iterator[None]:
        """The UNet of a variant while it lasts."""
        if variant == "base":
            yield
            return
        self.pipeline.load_lora_weights(self.lcm_lora.parent, weight_name=self.lcm_lora.name)
        try:
            yield
        finally:
            self.pipeline.unload_lora_weights()

    @contextmanager
    def timesteps_of_the_first_step(self) -> Iterator[None]:
        """A UNet that is told the same timestep in every step: what a scalar timestep makes of a batch."""
        unet = self.pipeline.unet
        first: list[Tensor] = []

        def tell_first(_module: Any, arguments: tuple, keywords: dict) -> tuple[tuple, dict]:
            first.append(arguments[1])
            return (arguments[0], first[0], *arguments[2:]), keywords

        hook = unet.register_forward_pre_hook(tell_first, with_kwargs=True)
        try:
            yield
        finally:
            hook.remove()


def prove_that_it_means_something(
    reference: Reference, embedding: np.ndarray, base: np.ndarray
) -> dict[str, float]:
    """Fails unless `base`, the base case's picture, has contrast and hangs on all that it should hang on."""
    other = np.random.default_rng(1).standard_normal(embedding.shape).astype(np.float32)
    with reference.timesteps_of_the_first_step():
        timesteps = reference.draw(BASE, embedding).pictures
    changed = {
        "embedding": reference.draw(BASE, other / np.linalg.norm(other)).pictures,
        "seed": reference.draw(BASE, embedding, SEED + 1000).pictures,
        "timestep": timesteps,
        "guidance": reference.draw(Case(BASE.scheduler, BASE.steps, guidance=1.0), embedding).pictures,
    }
    figures = {"contrast": float(base.std())} | {key: psnr(base, value) for key, value in changed.items()}
    if figures["contrast"] < LEAST_CONTRAST:
        raise SystemExit(
            f"the reference picture is flat: standard deviation {figures['contrast']:.1f} of 255"
        )
    for key in changed:
        if figures[key] > MOST_ALIKE:
            raise SystemExit(f"another {key} changes the reference picture too little: {figures[key]:.1f} dB")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evaluation.parity.reference", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="the published layout")
    parser.add_argument("--lcm-lora", type=Path, required=True)
    parser.add_argument("--embedding", type=Path, required=True, help="of whom to draw: a JSON list")
    parser.add_argument("--cases", choices=SETS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the folder for what is drawn")
    arguments = parser.parse_args()
    reference = Reference(Layout.find(arguments.source), arguments.lcm_lora)
    embedding = np.array(json.loads(arguments.embedding.read_text()), np.float32)
    arguments.out.mkdir(parents=True, exist_ok=True)
    seconds, pictures = {}, {}
    for case in SETS[arguments.cases]:
        start = time.monotonic()
        drawn = reference.draw(case, embedding)
        seconds[case.name], pictures[case] = time.monotonic() - start, drawn.pictures
        np.savez(arguments.out / f"{case.name}.npz", latents=drawn.latents, pictures=drawn.pictures)
        print(f"{case.name}: {seconds[case.name]:.1f} s", flush=True)
    meaning = prove_that_it_means_something(reference, embedding, pictures[BASE])
    print(
        "PSNR of the base picture to one with another "
        + ", ".join(f"{k} {v:.1f}" for k, v in meaning.items())
    )
    report = {"seconds": seconds, "meaning": meaning}
    (arguments.out / "reference.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
