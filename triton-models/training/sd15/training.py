"""The loop: rows in, a trained encoder and UNet out, on as many processes as `accelerate launch` starts."""

import json
import math
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from diffusers import AutoencoderKL, DDPMScheduler
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import trange

from export.arc2face.layout import Layout
from export.arc2face.preflight import UnfitError, embedding_size
from training.average import Average
from training.sd15 import preflight, shards, weights
from training.sd15.denoiser import Denoiser
from training.sd15.memory import Demand
from training.sd15.objective import Objective
from training.sd15.recipe import Recipe
from training.sd15.rows import Batches, Rows

BETAS = (0.9, 0.999)
KEPT = 2  # checkpoints
Row = dict[str, Tensor]


class LossError(Exception):
    """The loss is no number any more."""


class Training:
    """The networks, their averages and optimiser, and how many steps they have made."""

    def __init__(
        self, accelerator: Accelerator, recipe: Recipe, start: weights.Start, recompute: bool
    ) -> None:
        self.accelerator, self.recipe, self.step = accelerator, recipe, 0
        denoiser = Denoiser.load(start).train()
        if recompute:
            denoiser.recompute_activations()
        optimiser = torch.optim.AdamW(
            [{"params": denoiser.unet.parameters()}, {"params": denoiser.encoder.parameters()}],
            betas=BETAS,
            weight_decay=recipe.weight_decay,
        )
        self.denoiser, self.optimiser = accelerator.prepare(denoiser, optimiser)
        self.average = Average(accelerator.unwrap_model(self.denoiser), recipe.average_decay)
        accelerator.register_for_checkpointing(self.average)
        vae = AutoencoderKL.from_pretrained(start.vae, local_files_only=True, torch_dtype=torch.float32)
        vae.decoder = None
        vae.enable_slicing()  # one picture at a time: its activations are larger than the UNet's
        self.vae = vae.requires_grad_(False).eval().to(accelerator.device)
        scheduler = DDPMScheduler.from_pretrained(start.scheduler)
        self.objective = Objective(scheduler, recipe.min_snr).to(accelerator.device)

    def advance(self, parts: list[Row]) -> tuple[float, float]:
        """One step of the optimiser on this process' parts of a batch; the whole batch's loss, and gradient's norm."""
        factor = self.recipe.rate_factor(self.step)
        for group, rate in zip(
            self.optimiser.param_groups,
            (self.recipe.unet_learning_rate, self.recipe.encoder_learning_rate),
            strict=True,
        ):
            group["lr"] = rate * factor
        total = torch.zeros((), device=self.accelerator.device)
        norm = torch.zeros(())
        for part in parts:
            with self.accelerator.accumulate(self.denoiser):
                loss = self.loss(part)
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients:
                    norm = self.accelerator.clip_grad_norm_(
                        self.denoiser.parameters(), self.recipe.largest_gradient
                    )
                self.optimiser.step()
                self.optimiser.zero_grad()
            total += loss.detach() / len(parts)
        self.average.update(self.accelerator.unwrap_model(self.denoiser))
        self.step += 1
        return self.accelerator.reduce(total, "mean").item(), float(norm)

    def loss(self, part: Row) -> Tensor:
        """Of rows as `Rows` makes them, stacked."""
        part = {name: value.to(self.accelerator.device, non_blocking=True) for name, value in part.items()}
        latents, timesteps = self.encode(part["picture"], part["posterior"]), part["timestep"]
        noisy = self.objective.disturb(latents, part["noise"], timesteps)
        prediction = self.denoiser(noisy, timesteps, part["embedding"], part["conditional"])
        return self.objective.loss(
            prediction, self.objective.target(latents, part["noise"], timesteps), timesteps
        )

    @torch.no_grad()
    def encode(self, pictures: Tensor, noise: Tensor) -> Tensor:
        """Pictures [B,3,R,R] and noise [B,4,R/8,R/8] -> latents drawn from the autoencoder's posterior.

        In FP32 whatever the networks train in: these are what they learn.
        """
        posterior = self.vae.encode(pictures).latent_dist
        return (posterior.mean + posterior.std * noise) * self.vae.config.scaling_factor

    def save(self, folder: Path, told: dict[str, object]) -> None:
        """A checkpoint that appears whole or not at all, with what this training was told; the oldest go."""
        partial, whole = folder / "partial", folder / f"step-{self.step:09d}"
        if self.accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(partial)
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            (partial / "told.json").write_text(json.dumps({"step": self.step, **told}, indent=2) + "\n")
            shutil.rmtree(whole, ignore_errors=True)
            partial.rename(whole)
            for old in checkpoints(folder)[:-KEPT]:
                shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def resume(self, checkpoint: Path, recipe: Recipe, fingerprint: str) -> None:
        """Goes on from a checkpoint; raises if it was told something else."""
        told = json.loads((checkpoint / "told.json").read_text())
        faults = recipe.differences(told["recipe"])
        if told["data"] != fingerprint:
            faults.append("the shards are others")
        if faults:
            raise UnfitError(f"{checkpoint} cannot go on, for " + "; ".join(faults))
        self.accelerator.load_state(checkpoint)
        self.step = told["step"]

    def write(self, start: weights.Start, out: Path) -> Layout:
        """The averaged networks, as they are exported. Nothing can be trained after it."""
        denoiser = self.accelerator.unwrap_model(self.denoiser)
        denoiser.load_state_dict(self.average.weights)
        return weights.write(start, denoiser, out)


def train(
    recipe: Recipe,
    source: Path,
    data: Path,
    out: Path,
    rows: int,
    until: int | None = None,
    save_every: int = 1000,
    workers: int = 4,
    recompute: bool = True,
) -> Path:
    """Trains, from the last checkpoint in `out` if there is one, to the recipe's end or to step `until`, and writes the
    networks to `out`."""
    cpu = not torch.cuda.is_available()
    state = PartialState(cpu=cpu)
    preflight.check_out(source, out)
    start = preflight.check_start(source)
    device = preflight.Device.of(state.device)
    preflight.check_precision(recipe.precision, device)
    preflight.check_division(recipe, rows, state.num_processes)
    sharing = 1 if device.kind == "cuda" else state.num_processes
    demand = Demand.of(preflight.unet_bytes(start), recipe, recompute)
    preflight.check_memory(demand, rows, device, sharing)
    with state.main_process_first():
        found = shards.find(data, out / "index.npz")
    size = embedding_size(start)
    preflight.check_embeddings(found, size)

    accelerator = Accelerator(
        cpu=cpu,
        mixed_precision="no" if recipe.precision == "fp32" else recipe.precision,
        gradient_accumulation_steps=recipe.batch // (rows * state.num_processes),
        kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
    )
    training = Training(accelerator, recipe, start, recompute)
    if kept := checkpoints(out / "checkpoints"):
        training.resume(kept[-1], recipe, found.fingerprint)
    last = math.ceil(recipe.epochs * len(found) / recipe.batch)
    last = min(last, until) if until else last
    told = {"recipe": asdict(recipe), "data": found.fingerprint}
    log = Log(out / "log.jsonl", training.step) if accelerator.is_main_process else None
    parts = iter(
        DataLoader(
            Rows(found, recipe, size),
            batch_sampler=Batches(
                training.step, last, recipe.batch, rows, state.process_index, state.num_processes
            ),
            num_workers=workers,
            pin_memory=device.kind == "cuda",
        )
    )
    bar = trange(
        training.step,
        last,
        desc="training",
        unit="step",
        initial=training.step,
        total=last,
        disable=log is None,
    )
    for step in bar:
        loss, norm = training.advance([next(parts) for _ in range(accelerator.gradient_accumulation_steps)])
        if not math.isfinite(loss):
            raise LossError(
                f"the loss of step {step} is {loss}: go on from the last checkpoint with lower learning rates"
            )
        if log:
            log.add(step, loss, norm)
            bar.set_postfix(loss=f"{log.smooth:.4f}")
        if training.step % save_every == 0 or training.step == last:
            training.save(out / "checkpoints", told)
    if accelerator.is_main_process:
        training.write(start, out)
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return out


class Log:
    """A line of JSON for each step; those after the step from which a training goes on are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self.path, self.smooth = path, math.nan
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
        path.write_text("".join(lines[:step]))

    def add(self, step: int, loss: float, norm: float) -> None:
        self.smooth = loss if math.isnan(self.smooth) else 0.98 * self.smooth + 0.02 * loss
        gradient = norm if math.isfinite(norm) else None  # of a step that fp16's scaler left out
        with self.path.open("a") as log:
            log.write(json.dumps({"step": step, "loss": loss, "gradient": gradient}) + "\n")


def checkpoints(folder: Path) -> list[Path]:
    """The whole ones, oldest first."""
    return sorted(folder.glob("step-*"))
